#!/bin/sh
# What `make test-flink` needs, below .cache/flink: Flink's jars from its Python package, and Beam's job server for it by
# Maven, each from where this machine's own settings say. JOB_SERVER_JAR=FILE takes a job server that is there already.
set -eu
python=$1 flink=1.19.3 folder=.cache/flink
missing=""
command -v java >/dev/null 2>&1 || missing="$missing openjdk-17-jre-headless"
[ -n "${JOB_SERVER_JAR:-}" ] || [ -f "$folder/job-server.jar" ] || command -v mvn >/dev/null 2>&1 || missing="$missing maven"
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "flink: missing:$missing; as root: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "flink: installing$missing with apt-get"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null
fi
mkdir -p "$folder/lib"
if [ ! -f "$folder/lib/flink-dist-$flink.jar" ]; then
    echo "flink: fetching apache-flink-libraries $flink (230 MB)"
    "$python" -m pip download -q --no-deps --no-binary :all: -d "$folder" "apache-flink-libraries==$flink"
    rm -f "$folder"/lib/*
    tar -xzf "$folder"/apache-flink-libraries-$flink.tar.gz -C "$folder/lib" --strip-components=3 --wildcards \
        '*/deps/lib/log4j-*.jar' '*/deps/lib/flink-dist-*.jar'
    rm "$folder"/apache-flink-libraries-$flink.tar.gz
fi
if [ -n "${JOB_SERVER_JAR:-}" ]; then
    cp "$JOB_SERVER_JAR" "$folder/job-server.jar"
elif [ ! -f "$folder/job-server.jar" ]; then
    echo "flink: building Beam's job server (Maven, 160 jars)"
    mvn -q -B -f tests/flink/job_server.xml -Dtarget="$PWD/$folder/build" package
    mv "$folder/build/job-server.jar" "$folder/job-server.jar"
    rm -rf "$folder/build"
fi
