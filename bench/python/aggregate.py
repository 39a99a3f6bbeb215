"""Sums a portfolio's days with DuckDB, from Parquet; prints what it measured as one JSON object.

The rows are the ones that `src/portfolio.rs` makes: one for each account, metric and day.
"""

import argparse
import json
import pathlib
import statistics
import time

import duckdb

ROWS = """
SELECT 'account-' || lpad(account::text, 7, '0') AS account_id,
       'metric_' || metric AS name,
       DATE '2026-01-01' + day::integer AS day,
       1 + (account * 7919 + metric * 104729 + day * 7907 + (account * day) % 31) % 997 AS value
  FROM range(1, {accounts} + 1) AS accounts (account),
       range(1, {metrics} + 1) AS metrics (metric),
       range(0, {days}) AS days (day)
"""

AGGREGATE = """
SELECT count(*), sum(recent)::bigint, sum(earlier)::bigint, avg(recent / earlier)
  FROM (SELECT account_id, name,
               sum(value) FILTER (WHERE day > DATE '2026-01-01' + {last}::integer - 28) AS recent,
               sum(value) FILTER (WHERE day <= DATE '2026-01-01' + {last}::integer - 28) AS earlier
          FROM read_parquet('{file}')
         WHERE day > DATE '2026-01-01' + {last}::integer - 56
         GROUP BY account_id, name)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--metrics", type=int, required=True)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    options = parser.parse_args()

    connection = duckdb.connect()
    # A progress bar would be printed where the answer is expected.
    connection.execute("SET enable_progress_bar = false")
    file = options.folder / "days.parquet"
    rows = ROWS.format(accounts=options.accounts, metrics=options.metrics, days=options.days)
    connection.execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet)")

    aggregate = AGGREGATE.format(last=options.days - 1, file=file)
    seconds = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        answer = connection.execute(aggregate).fetchone()
        seconds.append(time.perf_counter() - started)
    print(
        json.dumps(
            {
                "version": duckdb.__version__,
                "parquet_bytes": file.stat().st_size,
                "aggregate_seconds": statistics.median(seconds),
                "series_count": answer[0],
                "recent_sum": answer[1],
                "earlier_sum": answer[2],
            }
        )
    )


if __name__ == "__main__":
    main()
