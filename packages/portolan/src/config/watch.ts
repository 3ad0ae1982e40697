import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type LoadedConfig, loadConfig } from './load.ts'

/** What becomes of a changed file: it holds from now on, or the one before it goes on holding. */
export interface ConfigReceiver {
  accept(loaded: LoadedConfig): void
  /** The file as it is now does not hold. `reason` is what `loadConfig` threw. */
  refuse(reason: unknown): void
}

export interface ConfigWatch {
  /** Reads the file again, whether it changed or not. Resolves when the receiver was told. */
  reload(): Promise<void>
  close(): void
}

/** Editors write a file in several steps: the last one counts. */
const settleMs = 100

/**
 * Reads `file` again on SIGHUP and whenever it changes. Its folder is watched, since editors and config maps put
 * another file in the place of the old one. One reading at a time; the newest always wins.
 */
export function watchConfig(file: string, receiver: ConfigReceiver): ConfigWatch {
  let settling: NodeJS.Timeout | undefined
  let reading: Promise<void> = Promise.resolve()
  let closed = false
  const reload = (): Promise<void> => {
    reading = reading.then(async () => {
      if (closed) return
      try {
        receiver.accept(await loadConfig(file))
      } catch (thrown) {
        receiver.refuse(thrown)
      }
    })
    return reading
  }
  const soon = (): void => {
    clearTimeout(settling)
    settling = setTimeout(() => void reload(), settleMs)
  }
  const onSignal = (): void => void reload()
  process.on('SIGHUP', onSignal)
  const folder = watchFolder(dirname(file), basename(file), soon)
  return {
    reload,
    close: () => {
      closed = true
      clearTimeout(settling)
      process.off('SIGHUP', onSignal)
      folder?.close()
    },
  }
}

/** `undefined` where the kernel has no watch left to give: SIGHUP still works. */
function watchFolder(folder: string, name: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (_, entry) => {
      // Kubernetes swaps the link `..data`, never the file itself.
      if (entry === name || entry === '..data' || entry === null) changed()
    })
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
