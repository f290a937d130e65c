/** What an administrator chose for an installation; each part takes what it needs. */
export interface InstallOptions {
  /** Whether the services whose settings change are restarted. */
  readonly restart: boolean;
}
