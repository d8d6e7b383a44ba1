#!/bin/sh
# Gives Kafka the passwords in the secrets kafka-<user>.password, for users it knows and for new ones; it runs on
# meanwhile. After a password was changed or an office was added: docker compose exec kafka sh /etc/verbund/users.sh
set -eu
libs=${KAFKA_LIBS:-/opt/kafka/libs}
secrets=${KAFKA_SECRETS:-/run/secrets}
properties=${KAFKA_PROPERTIES:-$(dirname "$0")/server.properties}
# The door without names, which is open to this container alone.
node=$(sed -n 's/^listeners=.*INTERNAL:\/\/\([^,]*\).*/\1/p' "$properties")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077
for file in "$secrets"/kafka-*.password; do
    user=$(basename "$file" .password)
    user=${user#kafka-}
    # In a file: what stands on a command line is seen by everybody on the machine.
    echo "SCRAM-SHA-512=password=$(cat "$file")" >"$work/password"
    java -Xmx64m -Dlog4j2.configurationFile="$(dirname "$0")/log4j2.properties" -cp "$libs/*" kafka.admin.ConfigCommand \
        --bootstrap-server "$node" --alter --entity-type users --entity-name "$user" --add-config-file "$work/password"
done
