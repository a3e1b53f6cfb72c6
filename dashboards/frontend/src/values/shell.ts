/** Ready-to-paste commands. */

/** A word for a POSIX shell, quoted where it has to be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Where and as whom a device sends. */
export interface Target {
  token: string;
  baseUrl: string;
  mqttHost: string;
  mqttPort: number;
}

const EXAMPLE = `'{"temperature":25}'`;

/** A value over MQTT with mosquitto_pub. */
export function mosquittoPub({ token, mqttHost, mqttPort }: Target): string {
  const where = `-h ${quoted(mqttHost)} -p ${mqttPort} -t v1/devices/me/telemetry`;
  return `mosquitto_pub -d -q 1 ${where} -u ${quoted(token)} -m ${EXAMPLE}`;
}

/** A value over HTTP with curl. */
export function curl({ token, baseUrl }: Target): string {
  const url = quoted(`${baseUrl}/api/v1/${encodeURIComponent(token)}/telemetry`);
  return `curl -i -X POST ${url} -H Content-Type:application/json -d ${EXAMPLE}`;
}
