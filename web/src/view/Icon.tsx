/** A glyph of the page's sprite (`salus/parts/sprite.html`). */

import type { ReactNode } from "react";

export function Icon({ name, tone }: { name: string; tone?: string }): ReactNode {
  return (
    <svg className={`i${tone ? ` ${tone}` : ""}`} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}

export function Tag({ kind, icon, children }: { kind: string; icon?: string; children: ReactNode }): ReactNode {
  return (
    <span className={`tag${kind ? ` is-${kind}` : ""}`}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

export function Note({ kind, icon, children }: { kind: string; icon: string; children: ReactNode }): ReactNode {
  return (
    <div className={`note is-${kind}`}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}
