import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * Runs one node of OpenSearch, a search server for the tests of keepsake.store.opensearch, until its process is ended.
 * Arguments: a folder, and the port of its HTTP.
 */
public final class Node {
    private Node() {}

    public static void main(String[] arguments) throws InterruptedException {
        int port = Integer.parseInt(arguments[1]);
        OpenSearchRunner runner = new OpenSearchRunner();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(runner)));
        runner.onBuild((number, settings) -> {
            settings.put("http.port", port);
            settings.put("transport.port", port + 1);
            settings.put("network.host", "127.0.0.1");
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
            settings.put("action.auto_create_index", false);
        }).build(OpenSearchRunner.newConfigs().basePath(arguments[0]).numOfNode(1).clusterName("keepsake"));
        Thread.currentThread().join();
    }

    private static void close(OpenSearchRunner runner) {
        try {
            runner.close();
        } catch (java.io.IOException fault) {
            System.err.println(fault);
        }
    }
}
