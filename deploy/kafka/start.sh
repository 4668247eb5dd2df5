#!/usr/bin/env bash
# A real Apache Kafka (KRaft) on this machine, for trials and tests: Java and Maven, nothing else.
#
#   deploy/kafka/start.sh [FOLDER [PORT…]]            one node a port (default ./var/kafka and 9092), until Ctrl-C
#   NODE=2 deploy/kafka/start.sh FOLDER PORT PORT…    only that node, in this process
#
# Each node also takes the port after its own, for the controllers. One node has one copy of everything: a real
# installation has three nodes, on three machines (docs/operations.md).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:-./var/kafka}"
ports=("${@:2}")
[ ${#ports[@]} -gt 0 ] || ports=(9092)
jars="${KAFKA_JARS:-$here/jars}"

if [ ! -e "$jars/.complete" ]; then
  echo "Fetching Kafka's jars with Maven (once)" >&2
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars"
  touch "$jars/.complete"
fi

if [ -z "${NODE:-}" ]; then
  pids=()
  for node in $(seq ${#ports[@]}); do
    NODE=$node "$0" "$folder" "${ports[@]}" & pids+=($!)
  done
  trap 'kill "${pids[@]}" 2>/dev/null' INT TERM
  nodes=$(( ${#ports[@]} < 3 ? ${#ports[@]} : 3 ))
  echo "Kafka: SATUPINTU_BUS='kafka://$(IFS=,; echo "${ports[*]/#/127.0.0.1:}")?brokers=$nodes'" >&2
  echo "Its data is in $folder (Ctrl-C stops it)" >&2
  status=0
  for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
  exit $status
fi

port="${ports[$((NODE - 1))]}"
voters=""
for n in $(seq ${#ports[@]}); do voters+="${voters:+,}$n@127.0.0.1:$((ports[n - 1] + 1))"; done
copies=$(( ${#ports[@]} < 3 ? 1 : 3 ))
own="$folder/node-$NODE"
mkdir -p "$own"
cat > "$own/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=$NODE
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
log.dirs=$own/log
auto.create.topics.enable=false
default.replication.factor=$copies
min.insync.replicas=$(( (copies + 1) / 2 ))
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$(( (copies + 1) / 2 ))
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$(( (copies + 1) / 2 ))
group.initial.rebalance.delay.ms=${KAFKA_REBALANCE_DELAY:-0}
group.min.session.timeout.ms=1000
group.coordinator.append.linger.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.retention.check.interval.ms=60000
${KAFKA_PROPERTIES:-}
PROPERTIES
java=(java -cp "$jars/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true)
[ -e "$own/log/meta.properties" ] ||
  "${java[@]}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool format -t c2F0dXBpbnR1LWthZmthMQ -c "$own/server.properties" >"$own/format.log"
exec "${java[@]}" -Xmx"${KAFKA_HEAP:-1g}" ${KAFKA_JVM:-} kafka.Kafka "$own/server.properties"
