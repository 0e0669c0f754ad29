import java.io.FileInputStream;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.mirror.RemoteClusterUtils;

/**
 * Translates a group's offsets as an application of MirrorMaker 2's users would: RemoteClusterUtils reads the checkpoints on the
 * cluster that it is pointed at. Prints "topic partition offset metadata", a partition a line, sorted.
 *
 * <p>Arguments: bootstrap, alias of the source, group, and optionally a file of client properties.
 */
public class TranslateOffsets {
    public static void main(String[] args) throws Exception {
        if (args.length < 3 || args.length > 4) {
            System.err.println("usage: TranslateOffsets BOOTSTRAP SOURCE GROUP [client.properties]");
            System.exit(2);
        }
        Map<String, Object> properties = new HashMap<>();
        if (args.length == 4) {
            Properties file = new Properties();
            try (FileInputStream in = new FileInputStream(args[3])) {
                file.load(in);
            }
            file.forEach((key, value) -> properties.put((String) key, value));
        }
        properties.put("bootstrap.servers", args[0]);
        Map<TopicPartition, OffsetAndMetadata> offsets =
            RemoteClusterUtils.translateOffsets(properties, args[1], args[2], Duration.ofSeconds(30));
        offsets.entrySet().stream()
            .sorted(Comparator.comparing((Map.Entry<TopicPartition, OffsetAndMetadata> e) -> e.getKey().topic())
                .thenComparing(e -> e.getKey().partition()))
            .forEach(e -> System.out.printf("%s %d %d %s%n", e.getKey().topic(), e.getKey().partition(), e.getValue().offset(),
                e.getValue().metadata()));
    }
}
