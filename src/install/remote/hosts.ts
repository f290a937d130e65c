/** Sources of host names. */
export interface HostSources {
  /** Values of flags. */
  readonly flags: readonly string[];
  /** A file with one host per line; # begins a comment. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
}

/**
 * Parses the hosts that flags and a file name, in that order: each is `user@host`, `host`, an alias of the ssh
 * configuration, or `ssh://user@host:port`. Throws one error with a line per problem: an invalid host,
 * a host that is named twice, a file without hosts.
 */
export function parseHosts(sources: HostSources): string[] {
  const named = [...flagHosts(sources.flags), ...fileHosts(sources.file)];
  const problems: string[] = [];
  const places = new Map<string, string>();
  for (const { place, destination } of named) {
    const { host, port, fault } = parseDestination(destination);
    // The user is left out: two users of one machine are the same host.
    const machine = `${host.toLowerCase()} ${port}`;
    const earlier = places.get(machine);
    if (fault !== undefined) problems.push(`${place}: ${JSON.stringify(destination)} ${fault}`);
    else if (earlier !== undefined)
      problems.push(`${place}: ${destination} is named twice, first in ${earlier}`);
    else places.set(machine, place);
  }
  if (sources.file !== undefined && fileHosts(sources.file).length === 0)
    problems.push(`${sources.file.path}: names no host: expected one host per line`);
  if (problems.length > 0) throw new Error(limited(problems).join("\n"));
  return named.map(({ destination }) => destination);
}

// A file of another kind has a problem in every line: its report still fits one screen.
const MAX_SHOWN_PROBLEMS = 10;

function limited(problems: readonly string[]): readonly string[] {
  const more = problems.length - MAX_SHOWN_PROBLEMS;
  return more <= 0 ? problems : [...problems.slice(0, MAX_SHOWN_PROBLEMS), `and ${more} more`];
}

interface NamedHost {
  readonly place: string;
  readonly destination: string;
}

function flagHosts(flags: readonly string[]): NamedHost[] {
  return flags.map((destination) => ({ place: `--ssh ${destination}`, destination }));
}

function fileHosts(file: HostSources["file"]): NamedHost[] {
  if (file === undefined) return [];
  return file.text.split("\n").flatMap((line, index) => {
    const destination = line.replace(/(^|\s)#.*/, "").trim();
    return destination === "" ? [] : [{ place: `${file.path}:${index + 1}`, destination }];
  });
}

interface Destination {
  readonly host: string;
  readonly port: string;
  readonly fault?: string;
}

// Only characters without a meaning in shells: an ssh configuration may pass both to one (ProxyCommand, Match exec).
const USER = /^[^-\s\p{C}'"`$&;<>|(){}][^\s\p{C}'"`$&;<>|(){}]*$/u;
const NAME = /^\w[\w.-]*$/;
const IPV6 = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(%\w[\w.-]*)?$/i;
const WITH_PORT = /^([^:]+):(\d+)$/;

const EXPECTED = "expected user@host or ssh://user@host:port";

function parseDestination(destination: string): Destination {
  const unknown = { host: "", port: "" };
  if (destination.startsWith("-"))
    return { ...unknown, fault: `begins with "-", like an option of ssh: ${EXPECTED}` };
  const isUrl = destination.startsWith("ssh://");
  const authority = isUrl ? destination.slice("ssh://".length).replace(/\/$/, "") : destination;
  const at = authority.lastIndexOf("@");
  const [user, rest] = [authority.slice(0, Math.max(at, 0)), authority.slice(at + 1)];
  if (at >= 0 && !USER.test(user)) return { ...unknown, fault: `has an invalid user: ${EXPECTED}` };
  if (isUrl) return parseAuthority(rest);
  const [, host = "", port = ""] = WITH_PORT.exec(rest) ?? [];
  if (host !== "") return { host, port, fault: `has a port: expected ssh://${authority}` };
  if (NAME.test(rest) || IPV6.test(rest)) return { host: rest, port: "" };
  return { ...unknown, fault: `is not a valid host: ${EXPECTED}` };
}

function parseAuthority(authority: string): Destination {
  const [, bracketed, name = "", port = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? [];
  const host = bracketed ?? name;
  const isHost = bracketed === undefined ? NAME.test(name) : IPV6.test(bracketed);
  if (!isHost) return { host, port, fault: `is not a valid host: ${EXPECTED}` };
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535;
  if (authority.includes("]:") || authority === `${name}:${port}`)
    return isPort ? { host, port } : { host, port, fault: "has no valid port: expected 1 to 65535" };
  return { host, port: "" };
}
