#!/bin/sh
# Temporal's two databases, made or brought up to date. Run again it changes nothing.
set -eu
for name in temporal temporal_visibility; do
    of=${name#temporal_}
    sql() { temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" --db "$name" "$@"; }
    sql create
    sql setup-schema -v 0.0
    sql update-schema -d "/etc/temporal/schema/postgresql/v12/$of/versioned"
done
