/** A host as ssh is told of it. */
export interface Host {
  /** `user@host`, `host`, an alias of ssh's configuration, or `ssh://user@host:port`. */
  readonly destination: string;
}

/** Where hosts are named. */
export interface HostSources {
  /** Given one by one, in flags. */
  readonly flags: readonly string[];
  /** One a line, with # before a comment. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
}

/**
 * Reads the hosts that flags and a file name, in that order. Throws one error that complains of all that is wrong, a
 * line each: what is no host, a host named twice, a file that names none.
 */
export function parseHosts(sources: HostSources): Host[] {
  const named = [...flagHosts(sources.flags), ...fileHosts(sources.file)];
  const problems: string[] = [];
  const places = new Map<string, string>();
  for (const { place, destination } of named) {
    const { host, port, fault } = readDestination(destination);
    // Whoever logs in, it is one machine.
    const machine = `${host.toLowerCase()} ${port}`;
    const earlier = places.get(machine);
    if (fault !== undefined) problems.push(`${place}: ${JSON.stringify(destination)} ${fault}`);
    else if (earlier !== undefined)
      problems.push(`${place}: ${destination} is named twice, first in ${earlier}`);
    else places.set(machine, place);
  }
  if (sources.file !== undefined && fileHosts(sources.file).length === 0)
    problems.push(`${sources.file.path}: names no host: right is one a line`);
  if (problems.length > 0) throw new Error(shown(problems).join("\n"));
  return named.map(({ destination }) => ({ destination }));
}

// Whoever names another kind of file is told so on one screen.
const MAX_SHOWN = 10;

function shown(problems: readonly string[]): readonly string[] {
  const more = problems.length - MAX_SHOWN;
  return more <= 0 ? problems : [...problems.slice(0, MAX_SHOWN), `and ${more} more like these`];
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

// Characters that no shell reads anything into: a user's configuration may hand both to one (ProxyCommand, Match exec).
const USER = /^[^-\s\p{C}'"`$&;<>|(){}][^\s\p{C}'"`$&;<>|(){}]*$/u;
const NAME = /^\w[\w.-]*$/;
const IPV6 = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(%\w[\w.-]*)?$/i;
const WITH_PORT = /^([^:]+):(\d+)$/;

const RIGHT = "right is user@host or ssh://user@host:port";

function readDestination(destination: string): Destination {
  const nothing = { host: "", port: "" };
  if (destination.startsWith("-"))
    return { ...nothing, fault: `begins with "-", as an option of ssh does: ${RIGHT}` };
  const isUrl = destination.startsWith("ssh://");
  const authority = isUrl ? destination.slice("ssh://".length).replace(/\/$/, "") : destination;
  const at = authority.lastIndexOf("@");
  const [user, rest] = [authority.slice(0, Math.max(at, 0)), authority.slice(at + 1)];
  if (at >= 0 && !USER.test(user)) return { ...nothing, fault: `has no user that ssh takes: ${RIGHT}` };
  if (isUrl) return readAuthority(rest);
  const [, host = "", port = ""] = WITH_PORT.exec(rest) ?? [];
  if (host !== "") return { host, port, fault: `has a port: right is ssh://${authority}` };
  if (NAME.test(rest) || IPV6.test(rest)) return { host: rest, port: "" };
  return { ...nothing, fault: `is no host: ${RIGHT}` };
}

function readAuthority(authority: string): Destination {
  const [, bracketed, name = "", port = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? [];
  const host = bracketed ?? name;
  const isHost = bracketed === undefined ? NAME.test(name) : IPV6.test(bracketed);
  if (!isHost) return { host, port, fault: `is no host: ${RIGHT}` };
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535;
  if (authority.includes("]:") || authority === `${name}:${port}`)
    return isPort ? { host, port } : { host, port, fault: "has no port from 1 to 65535" };
  return { host, port: "" };
}
