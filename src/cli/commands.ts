/** All commands, in the order in which the help lists them. */
import { benchCommand } from './bench-command.ts'
import { checkCommand } from './check-command.ts'
import type { Command } from './command.ts'
import { discardCommand, editCommand, listCommand, listedCommand, redriveCommand, showCommand } from './dead-letter-commands.ts'
import { devCommand } from './dev-command.ts'
import { publishCommand, tailCommand } from './log-commands.ts'
import { eventCommand, lanesCommand, operationsCommand, subscriptionsCommand } from './look-commands.ts'
import { startCommand } from './start-command.ts'
import { forgetCommand, pauseCommand, resumeCommand } from './steer-commands.ts'

export const commands: readonly Command[] = [
  startCommand,
  devCommand,
  checkCommand,
  benchCommand,
  publishCommand,
  tailCommand,
  eventCommand,
  subscriptionsCommand,
  lanesCommand,
  pauseCommand,
  resumeCommand,
  forgetCommand,
  listCommand,
  listedCommand,
  showCommand,
  redriveCommand,
  editCommand,
  discardCommand,
  operationsCommand,
]
