/** Scripts that never end, each in its own way; the mark of the round is in all that they start. */
export function misbehaving(mark: string): readonly (readonly [name: string, text: string])[] {
  const sleep = `sleep ${mark}`
  return [
    ['hangs', sleep],
    ['ignores signals', `trap "" TERM INT HUP QUIT; while :; do ${sleep}; done`],
    ['forks', `for i in 1 2 3 4; do (${sleep}; :) & done; wait`],
    ['forks and leaves', `(${sleep} & ${sleep} &) ; ${sleep}`],
    ['leaves its group', `setsid ${sleep} & ${sleep}`],
    ['leaves its group twice over', `setsid setsid -f sh -c "${sleep}; :" >/dev/null 2>&1; ${sleep}`],
    ['becomes another user, as it were', `env -i PATH="$PATH" setsid sh -c "${sleep}; :" & ${sleep}`],
    ['prints without end', `yes "${mark} is all I have to say" & ${sleep}`],
    ['prints megabytes', `head -c 4000000 /dev/zero; ${sleep}`],
    ['keeps forking', `while :; do (sleep 0.01; : ${mark}) & sleep 0.005; done`],
  ]
}
