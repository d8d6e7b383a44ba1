#!/bin/sh
# Starts Kafka; the first time it makes the data, with a user for each secret kafka-<user>.password.
set -eu
here=$(dirname "$0")
libs=${KAFKA_LIBS:-/opt/kafka/libs}
secrets=${KAFKA_SECRETS:-/run/secrets}
properties=${KAFKA_PROPERTIES:-$here/server.properties}
data=$(sed -n 's/^log\.dirs=//p' "$properties")
logging=-Dlog4j2.configurationFile=$here/log4j2.properties

if [ ! -d "$data" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    umask 077
    # In files: what stands on a command line is seen by everybody on the machine.
    for file in "$secrets"/kafka-*.password; do
        user=$(basename "$file" .password)
        printf -- '--add-scram\nSCRAM-SHA-512=[name=%s,password=%s]\n' "${user#kafka-}" "$(cat "$file")"
    done >"$work/users"
    # All of it or nothing: half of it, left by a kill, would pass for a whole one at the next start.
    rm -rf "$data.fresh"
    { cat "$properties"; echo "log.dirs=$data.fresh"; } >"$work/format.properties"
    id=$(java "$logging" -cp "$libs/*" kafka.tools.StorageTool random-uuid)
    # What it tells of success is what it keeps of the passwords, which belongs into no log.
    java "$logging" -cp "$libs/*" kafka.tools.StorageTool format --cluster-id "$id" \
        --config "$work/format.properties" "@$work/users" >/dev/null
    mv "$data.fresh" "$data"
    rm -rf "$work"
    trap - EXIT
fi

# The process itself, not a child of a shell: it has to hear that it should stop.
exec java -Xms512m -Xmx512m -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
    "$logging" -cp "$libs/*" kafka.Kafka "$properties"
