#!/usr/bin/env node
// Stands outside dist, so that installing a fresh clone can link it before anything is built.
import '../dist/cli/main.js'
