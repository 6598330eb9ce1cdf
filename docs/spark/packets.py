"""Analyses the captures of many sensors with Apache Spark.

    spark-submit packets.py CAPTURES OUT [--where CONDITION] [--sample COUNT]

CAPTURES is a tree of files host=…/date=…/hour=…/*.ndjson.zst, on a file system that all executors see. Writes to OUT:

    sizes          packets per 128 bytes of packet size
    throughput     packets and bytes per minute and protocol
    conversations  the pairs of addresses with the most bytes
    sample         one packet in N of each sensor, as lines that the viewer opens

Tables are files of tab-separated values; OUT must not exist.
"""

import argparse

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

# Types of the fields that are read: integers stay integers, and `ts` stays text, because Spark's times have microseconds.
SCHEMA = "n LONG, ts STRING, len LONG, src STRING, dst STRING, sport INT, dport INT, proto STRING"

SIZE_STEP = 128
MINUTE_LEN = len("2026-03-02T09:05")
CONVERSATIONS = 10


def read_packets(spark, captures):
    """The packets, each with its whole line as `value`, and with `host`, `date` and `hour` from the path."""
    lines = spark.read.text(captures).filter(f.col("value").startswith('{"type":"pkt",'))
    fields = f.from_json("value", SCHEMA).alias("fields")
    return lines.select("host", "date", "hour", "value", fields).select("host", "date", "hour", "value", "fields.*")


def write_table(table, out, name):
    table.coalesce(1).write.csv(f"{out}/{name}", sep="\t")


def sizes(packets):
    step = (f.floor(packets["len"] / SIZE_STEP) * SIZE_STEP).alias("size")
    return packets.groupBy(step).count().sort("size")


def throughput(packets):
    minute = f.substring("ts", 1, MINUTE_LEN).alias("minute")
    return packets.groupBy(minute, "proto").agg(f.count("*"), f.sum("len")).sort("minute", "proto")


def conversations(packets):
    a, b = f.least("src", "dst").alias("a"), f.greatest("src", "dst").alias("b")
    pairs = packets.filter("src IS NOT NULL").groupBy(a, b, "proto")
    totals = pairs.agg(f.count("*").alias("packets"), f.sum("len").alias("bytes"))
    return totals.sort(f.desc("bytes"), "a", "b", "proto").limit(CONVERSATIONS)


def sample(packets, count):
    """Every k-th packet of each sensor, for about `count` packets in all."""
    total = packets.count()
    k = max(1, -(-total // count))
    return packets.filter(f.col("n") % k == 0).select("ts", "value")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("captures")
    parser.add_argument("out")
    parser.add_argument("--where", default="true", help="SQL condition on fields, `host`, `date` or `hour`")
    parser.add_argument("--sample", type=int, default=100_000, help="number of packets in the sample")
    args = parser.parse_args()
    spark = SparkSession.builder.appName("packets").getOrCreate()
    packets = read_packets(spark, args.captures).filter(args.where)
    # Read and parsed once. Executors that are lost take their part along, which Spark then reads again.
    columns = packets.drop("value").persist(StorageLevel.MEMORY_AND_DISK)
    write_table(sizes(columns), args.out, "sizes")
    write_table(throughput(columns), args.out, "throughput")
    write_table(conversations(columns), args.out, "conversations")
    every_kth = sample(packets, args.sample)
    ordered = every_kth.repartition(1).sortWithinPartitions("ts").select("value")
    ordered.write.text(f"{args.out}/sample", compression="gzip")
    spark.stop()


if __name__ == "__main__":
    main()
