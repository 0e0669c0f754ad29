import java.nio.ByteBuffer;
import java.util.HexFormat;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;

// Writes batches of all formats and codecs with Kafka's own classes, and what Kafka's own reader makes of them. With the jars of
// Kafka 4.3.0 in libs:
//
//     java -cp 'libs/*' Golden.java > golden.txt
public class Golden {
    static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) {
        for (byte magic = 0; magic <= 2; magic++)
            for (CompressionType codec : CompressionType.values())
                for (TimestampType time : new TimestampType[] {TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME})
                    if ((magic == 2 || codec != CompressionType.ZSTD) && (magic > 0 || time == TimestampType.CREATE_TIME))
                        print(magic, codec, time);
    }

    static void print(byte magic, CompressionType codec, TimestampType time) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), magic, Compression.of(codec).build(),
            magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : time, 100L, time == TimestampType.LOG_APPEND_TIME ? 1800000000000L : -1L);
        append(builder, magic, 100, 1700000000000L, "k", "v");
        append(builder, magic, 101, 1700000000005L, null, "no key");
        append(builder, magic, 105, 1699999999000L, "", "");
        append(builder, magic, 106, 1700000000005L, "tombstone", null);
        append(builder, magic, 107, 1700000000006L, "long", "0123456789".repeat(20));
        ByteBuffer bytes = builder.build().buffer();
        byte[] raw = new byte[bytes.remaining()];
        bytes.get(raw);
        System.out.printf("batch %d %s %s %s%n", magic, codec.name, time, HEX.formatHex(raw));
        for (Record r : MemoryRecords.readableRecords(ByteBuffer.wrap(raw)).records())
            System.out.printf("record %d %d %s %s%n", r.offset(), r.timestamp(), hex(r.key()), hex(r.value()));
    }

    static void append(MemoryRecordsBuilder builder, byte magic, long offset, long time, String key, String value) {
        builder.appendWithOffset(offset, magic == 0 ? -1L : time, bytes(key), bytes(value));
    }

    static byte[] bytes(String s) {
        return s == null ? null : s.getBytes();
    }

    static String hex(ByteBuffer b) {
        if (b == null)
            return "null";
        byte[] raw = new byte[b.remaining()];
        b.get(raw);
        return "x" + HEX.formatHex(raw);
    }
}
