import { z } from 'zod'

const alert = z.strictObject({
  name: z.string().min(1).max(128).describe('What the alert is called.'),
  rule: z.string().min(1).max(4096).describe('IF (METRIC > VALUE FOR TIME) … THEN alert("TEXT").'),
})

export const alertsSection = z.array(alert).max(1000).default([]).describe('When somebody is told.')
