import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.ServerConfig;
import org.apache.zookeeper.server.ZooKeeperServerMain;
import org.apache.zookeeper.server.quorum.QuorumPeerConfig;

/**
 * A broker of a version that keeps its state in ZooKeeper. The first broker of a cluster has ZooKeeper in its own process, so that a
 * cluster is its brokers' processes and nothing else, as with KRaft, where the first is the controller.
 *
 * <p>Arguments: the broker's server.properties. Beside it may lie zookeeper.properties, of a ZooKeeper to start first, and scram.properties:
 * "user = what kafka-configs takes as --add-config", a line each. A key store of type PKCS12 is made of the PEM file beside it: these
 * versions read no key in PEM that is not encrypted.
 */
public class ZooKeeperBroker {
    public static void main(String[] args) throws Exception {
        Path config = Path.of(args[0]);
        Properties server = read(config);
        convertKey(server);
        startZooKeeper(config.resolveSibling("zookeeper.properties"));
        String address = server.getProperty("zookeeper.connect");
        awaitOwnEnd(address, "/brokers/ids/" + server.getProperty("broker.id"));
        addUsers(address, config.resolveSibling("scram.properties"));
        kafka.Kafka.main(args);
    }

    private static void startZooKeeper(Path file) throws Exception {
        if (!Files.exists(file)) {
            return;
        }
        QuorumPeerConfig parsed = new QuorumPeerConfig();
        parsed.parse(file.toString());
        ServerConfig config = new ServerConfig();
        config.readFrom(parsed);
        Thread thread = new Thread(() -> {
            try {
                new ZooKeeperServerMain().runFromConfig(config);
            } catch (Exception e) {
                e.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
        }, "zookeeper");
        thread.setDaemon(true);
        thread.start();
    }

    /** Waits until ZooKeeper has forgotten the run before: a broker does not start while its own number is taken. */
    private static void awaitOwnEnd(String address, String node) throws Exception {
        CountDownLatch connected = new CountDownLatch(1); // a connection that came before the server was ready ends with its session, hence a short one
        ZooKeeper client = new ZooKeeper(address, 2_000, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        try {
            connected.await();
            while (client.exists(node, false) != null) {
                Thread.sleep(100);
            }
        } finally {
            client.close();
        }
    }

    private static void addUsers(String address, Path file) throws Exception {
        if (!Files.exists(file)) {
            return;
        }
        Properties users = read(file);
        for (String user : users.stringPropertyNames()) {
            kafka.admin.ConfigCommand.main(new String[] {
                "--zookeeper", address, "--alter", "--entity-type", "users", "--entity-name", user, "--add-config", users.getProperty(user),
            });
        }
    }

    private static void convertKey(Properties server) throws Exception {
        String file = server.getProperty("listener.name.client.ssl.keystore.location");
        if (file == null) {
            return;
        }
        String pem = Files.readString(Path.of(file.replace(".p12", ".pem")));
        char[] password = server.getProperty("listener.name.client.ssl.keystore.password").toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("broker", key(block(pem, "PRIVATE KEY")), password, new Certificate[] {
            CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(block(pem, "CERTIFICATE"))),
        });
        try (var out = Files.newOutputStream(Path.of(file))) {
            store.store(out, password);
        }
    }

    private static PrivateKey key(byte[] der) throws Exception {
        try {
            return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (java.security.spec.InvalidKeySpecException e) {
            return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
        }
    }

    /** The first block of a kind in a PEM file. */
    private static byte[] block(String pem, String kind) {
        String begin = "-----BEGIN " + kind + "-----";
        int from = pem.indexOf(begin) + begin.length();
        return Base64.getMimeDecoder().decode(pem.substring(from, pem.indexOf("-----END", from)));
    }

    private static Properties read(Path file) throws Exception {
        Properties properties = new Properties();
        try (var in = Files.newInputStream(file)) {
            properties.load(in);
        }
        return properties;
    }
}
