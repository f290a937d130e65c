const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;

/** Formats seconds of a recording as a clock does: `0:05`, `12:30`, `1:00:00`. */
export function formatClock(seconds: number): string {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / SECONDS_PER_MINUTE);
  const tail = String(whole % SECONDS_PER_MINUTE).padStart(2, "0");
  if (minutes < MINUTES_PER_HOUR) return `${minutes}:${tail}`;
  const rest = String(minutes % MINUTES_PER_HOUR).padStart(2, "0");
  return `${Math.floor(minutes / MINUTES_PER_HOUR)}:${rest}:${tail}`;
}
