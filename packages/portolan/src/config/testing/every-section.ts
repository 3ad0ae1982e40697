/** A file of which every fragment is promised to work word for word. */
export const everySection = `gateway:
  listen: 127.0.0.1:7480
  routes:
    - match: { path: / }     # host, path, headers, method; first match wins
      service: order
services:
  legacy:
    instances: [127.0.0.1:19001, 127.0.0.1:19002, 127.0.0.1:19003]   # static members
  cart:
    run: { command: [node, cart.mjs], replicas: 3 }   # started, tethered and supervised by \`portolan up\` (an image later)
  order:
    healthChecks:
      - type: TCP            # base connectivity
        interval: 3s
        timeout: 1s
      - type: HTTP
        path: /health
        interval: 5s
        timeout: 2s
      - type: Custom
        script: /opt/check_db.sh
        interval: 10s
    rateLimit:
      enabled: true
      qps: 1000
      burst: 200
      strategy: token-bucket
    balancer: { policy: adaptive }     # round-robin | random | least-request | ring-hash | maglev | peak-ewma | adaptive
    scaling: { min: 3, max: 20 }
alerts:
  - name: service-discovery
    rule: IF (service_discovery_latency > 500ms FOR 3 MINUTES) OR (unhealthy_instances_ratio > 0.1 FOR 5 MINUTES) THEN alert("服务发现异常")
`
