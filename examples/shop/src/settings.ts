/** Where the providers are. Read from the environment, and checked before anything starts. */
import { config } from 'millrace'
import { z } from 'zod'

export const settings = config(z.object({ PAYMENTS_URL: z.url(), WAREHOUSE_URL: z.url() }))
