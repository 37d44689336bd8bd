/** SPIRE's server and agent: command lines, and the files they are told by. */

/** What the server, its agent and a proxy share, as all of them see it. */
export const SHARED = '/lab/spire';
export const AGENT_SOCKET = `${SHARED}/agent.sock`;
/** In the server's own layer and in no volume: nothing that shares one with it sees the key. */
export const ANCHOR_KEY = '/anchor.key';
/** Kept in memory, for nothing of it is of use to another server. */
export const PRIVATE = '/run/spire';

/** A command line of the server's own program, inside its container. */
export const onServer = (container: string, ...argv: readonly string[]): string[] => [
  ...['docker', 'exec', container, '/opt/spire/bin/spire-server', ...argv, '-socketPath', `${PRIVATE}/server.sock`],
];

/** While the server comes up. */
export const SERVER_STARTING = ['no such file', 'refused', 'unavailable'];

/** The script that writes the settings of both, for a trust domain such as `root.linkerd.cluster.local`. */
export const settingsScript = (trustDomain: string): string => `cat > ${SHARED}/server.conf <<'END'
server {
  trust_domain = "${trustDomain}"
  bind_address = "127.0.0.1"
  bind_port = "8081"
  data_dir = "${PRIVATE}"
  socket_path = "${PRIVATE}/server.sock"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3", connection_string = "${PRIVATE}/datastore.sqlite3" } }
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  UpstreamAuthority "disk" {
    plugin_data {
      cert_file_path = "${SHARED}/anchor.crt"
      key_file_path = "${ANCHOR_KEY}"
      bundle_file_path = "${SHARED}/bundle.crt"
    }
  }
}
END
cat > ${SHARED}/agent.conf <<'END'
agent {
  trust_domain = "${trustDomain}"
  server_address = "127.0.0.1"
  server_port = "8081"
  trust_bundle_path = "${SHARED}/bundle.crt"
  join_token_file = "${SHARED}/token"
  data_dir = "${PRIVATE}"
  socket_path = "${AGENT_SOCKET}"
}
plugins {
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
END
`;

/** The script that takes the token out of what the server printed. */
export const TOKEN_SCRIPT = `umask 077; sed -n 's/^Token: //p' > ${SHARED}/token`;
