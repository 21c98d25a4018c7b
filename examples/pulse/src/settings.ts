/** What is set from outside. */
import { config } from 'millrace'
import { z } from 'zod'

export const settings = config(
  z.object({
    /** What GitHub and we know. The default is for trying things out on one machine. */
    GITHUB_SECRET: z.string().default('pulse-on-localhost'),
    /** The file that notices go to. */
    NOTICES: z.string().default('./notices.db'),
  }),
  { secret: ['GITHUB_SECRET'] },
)
