import java.io.FileInputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.kafka.connect.mirror.MirrorClient;

/**
 * Asks MirrorMaker 2's client library what it sees on a cluster: the clusters upstream, the hops to a source, the remote, checkpoint
 * and heartbeat topics. One fact a line, sorted.
 *
 * <p>Arguments: bootstrap, alias of the source, and optionally a file of client properties.
 */
public class MirrorTopics {
    public static void main(String[] args) throws Exception {
        if (args.length < 2 || args.length > 3) {
            System.err.println("usage: MirrorTopics BOOTSTRAP SOURCE [client.properties]");
            System.exit(2);
        }
        Map<String, Object> properties = new HashMap<>();
        if (args.length == 3) {
            Properties file = new Properties();
            try (FileInputStream in = new FileInputStream(args[2])) {
                file.load(in);
            }
            file.forEach((key, value) -> properties.put((String) key, value));
        }
        properties.put("bootstrap.servers", args[0]);
        try (MirrorClient client = new MirrorClient(properties)) {
            new TreeSet<>(client.upstreamClusters()).forEach(cluster -> System.out.println("upstream " + cluster));
            System.out.println("hops " + args[1] + " " + client.replicationHops(args[1]));
            new TreeSet<>(client.remoteTopics(args[1])).forEach(topic -> System.out.println("remote " + topic));
            new TreeSet<>(client.checkpointTopics()).forEach(topic -> System.out.println("checkpoints " + topic));
            new TreeSet<>(client.heartbeatTopics()).forEach(topic -> System.out.println("heartbeats " + topic));
        }
    }
}
