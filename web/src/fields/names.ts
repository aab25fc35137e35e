/** Names of ports: words that tell nothing of health stand beside people, so they are kept short and bare. */

/** The name of a port from what was typed: small letters, digits and _ (they stand beside people: no more than that). */
export function portName(typed: string): string {
  const bare = typed.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return bare.replaceAll(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+/, "").replace(/_$/, "").slice(0, 40);
}

/** A name that no port has. */
export function freePort(taken: string[], first: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? first : `${first}_${number}`;
    if (!taken.includes(name)) return name;
  }
}
