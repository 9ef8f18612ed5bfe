// The cookies that carry tokens, as they come in and as the server sets them.

/** The tokens that a request's cookies show, unverified. */
export interface Shown {
  access: string | undefined;
  refresh: string | undefined;
}

/** Reads the tokens. Without the prefix that is in force, a cookie is not ours; and one that is there twice counts as absent. */
export function read(line: string, prefix: string): Shown {
  return { access: only(line, `${prefix}accessToken`), refresh: only(line, `${prefix}refreshToken`) };
}

/** The value of a cookie that is there once and can be a token. */
function only(line: string, name: string): string | undefined {
  let found: string | undefined;
  for (const part of line.split(';')) {
    const at = part.indexOf('=');
    if (part.slice(0, Math.max(at, 0)).trim() !== name) continue;
    if (found !== undefined) return undefined;
    found = part.slice(at + 1).trim();
  }
  return found !== undefined && /^[\w.-]+$/.test(found) ? found : undefined;
}

/** Of the `Set-Cookie` lines of an answer those that are about our cookies. */
export function ours(lines: string[], prefix: string): string[] {
  return lines.filter((line) => ['access', 'refresh', 'device'].some((kind) => line.startsWith(`${prefix}${kind}Token=`)));
}

/** The access token that one of these lines sets. */
export function accessOf(lines: string[], prefix: string): string | undefined {
  const start = `${prefix}accessToken=`;
  const line = lines.find((line) => line.startsWith(start));
  return line?.slice(start.length).split(';')[0] || undefined;
}
