import { constants } from 'node:fs'
import { type FileHandle, open, rm, writeFile } from 'node:fs/promises'
import { usage } from '../command.ts'

/** A place for a picture of which it is known that it can be written. */
export interface PicturePlace {
  write(text: string): Promise<void>
  /** Lets go of it; what was there stays as it was unless something was written. */
  close(): Promise<void>
}

const faults: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  ENOTDIR: 'what stands before the last / is no directory',
  EACCES: 'this user may not write it',
  EISDIR: 'it is a directory',
  ENOSPC: 'no space is left there',
}

/**
 * Finds out whether a file can be written, changes nothing that is there and leaves nothing behind.
 * @param given the path as it was typed
 * @throws Fault `invalid_request`: it cannot
 */
export async function picturePlace(path: string, given: string): Promise<PicturePlace> {
  const orFault = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (thrown) {
      const { code, message } = toErrno(thrown)
      throw usage(
        `--svg ${given}: ${faults[code] ?? message}`,
        'name a file in a directory that exists and may be written',
      )
    }
  }
  const old = await orFault(() => openOld(path))
  if (old === undefined) await orFault(() => tryNew(path))
  return {
    write: text =>
      orFault(async () => {
        if (old === undefined) return await writeFile(path, text)
        // A pipe or a terminal has no end to cut off.
        if ((await old.stat()).isFile()) await old.truncate(0)
        await old.writeFile(text)
      }),
    close: async () => await old?.close(),
  }
}

/** The file that is there, for writing, and as long as it was; undefined = there is none. */
async function openOld(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_WRONLY)
  } catch (thrown) {
    if (toErrno(thrown).code === 'ENOENT') return undefined
    throw thrown
  }
}

/** Gone again at once: whatever ends this process later, no empty file is left. */
async function tryNew(path: string): Promise<void> {
  const handle = await open(path, 'wx')
  await handle.close()
  await rm(path)
}

function toErrno(thrown: unknown): { readonly code: string; readonly message: string } {
  if (!(thrown instanceof Error)) return { code: '', message: String(thrown) }
  return { code: 'code' in thrown ? String(thrown.code) : '', message: thrown.message }
}
