// web3j, unmodified, against a chain: java Chain URL, a notebook contract as JSON on standard input (abi, creation), how many
// accounts the node holds (accounts) and what a tip is at least (leastTip). The answer is one JSON object, scenario to "ok" or why not.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.reactivex.Flowable;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.web3j.abi.EventEncoder;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.TypeReference;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.Event;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.crypto.Credentials;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.StructuredDataEncoder;
import org.web3j.crypto.Sign;
import org.web3j.protocol.Web3j;
import org.web3j.protocol.core.DefaultBlockParameter;
import org.web3j.protocol.core.DefaultBlockParameterName;
import org.web3j.protocol.core.Request;
import org.web3j.protocol.core.Response;
import org.web3j.protocol.core.methods.request.EthFilter;
import org.web3j.protocol.core.methods.request.Transaction;
import org.web3j.protocol.core.methods.response.EthBlock;
import org.web3j.protocol.core.methods.response.Log;
import org.web3j.protocol.core.methods.response.TransactionReceipt;
import org.web3j.protocol.http.HttpService;
import org.web3j.protocol.websocket.WebSocketService;
import org.web3j.tx.RawTransactionManager;
import org.web3j.tx.response.PollingTransactionReceiptProcessor;
import org.web3j.utils.Numeric;

public final class Chain {
    static final BigInteger GWEI = BigInteger.TEN.pow(9), GAS = BigInteger.valueOf(500000);
    static final String RECEIVER = "0x00000000000000000000000000000000000a11ce";
    static final String NOBODY = "0x00000000000000000000000000000000000b0b00";
    static final Event NOTED = new Event("Noted", List.of(new TypeReference<Address>(true) {}, new TypeReference<Uint256>() {}));

    record World(Web3j web3, HttpService http, Web3j socket, Credentials rich, RawTransactionManager sender,
                 PollingTransactionReceiptProcessor receipts, String creation, int accounts, BigInteger leastTip) {}

    static void check(boolean holds, Object what) {
        if (!holds) throw new AssertionError(String.valueOf(what));
    }

    static <T extends Response<?>> T answer(T response) {
        check(!response.hasError(), response.hasError() ? response.getError().getMessage() : "");
        return response;
    }

    static String set(long value) {
        return FunctionEncoder.encode(new Function("set", List.of(new Uint256(value)), List.of()));
    }

    static String get() {
        return FunctionEncoder.encode(new Function("get", List.of(), List.of()));
    }

    static TransactionReceipt send(World world, String to, String data, BigInteger value, boolean is1559) throws Exception {
        BigInteger price = answer(world.web3.ethGasPrice().send()).getGasPrice().multiply(BigInteger.TWO);
        var sent = is1559
            ? world.sender.sendEIP1559Transaction(31337, GWEI, price.add(GWEI), GAS, to, data, value, to == null)
            : world.sender.sendTransaction(price, GAS, to, data, value, to == null);
        return world.receipts.waitForTransactionReceipt(answer(sent).getTransactionHash());
    }

    static String deploy(World world) throws Exception {
        return send(world, null, world.creation, BigInteger.ZERO, true).getContractAddress();
    }

    static BigInteger value(World world, String contract) throws Exception {
        Transaction call = Transaction.createEthCallTransaction(RECEIVER, contract, get());
        return Numeric.toBigInt(answer(world.web3.ethCall(call, DefaultBlockParameterName.LATEST).send()).getValue());
    }

    static <T> CompletableFuture<T> first(Flowable<T> flow) {
        CompletableFuture<T> found = new CompletableFuture<>();
        flow.take(1).subscribe(found::complete, found::completeExceptionally);
        return found;
    }

    static JsonNode raw(World world, String method, Object... parameters) throws Exception {
        Request<Object, AnyResponse> request = new Request<>(method, List.of(parameters), world.http, AnyResponse.class);
        return answer(request.send()).getResult();
    }

    public static final class AnyResponse extends Response<JsonNode> {}

    static void network(World world) throws Exception {
        check(answer(world.web3.ethChainId().send()).getChainId().intValue() == 31337, "chain");
        check(answer(world.web3.netVersion().send()).getNetVersion().equals("31337"), "network");
        check(answer(world.web3.ethAccounts().send()).getAccounts().size() == world.accounts, "accounts");
        check(!answer(world.web3.ethSyncing().send()).isSyncing(), "it syncs");
        check(answer(world.web3.web3ClientVersion().send()).getWeb3ClientVersion().contains("xinglin"), "version");
        BigInteger balance = answer(world.web3.ethGetBalance(world.rich.getAddress(), DefaultBlockParameterName.LATEST).send()).getBalance();
        check(balance.compareTo(BigInteger.TEN.pow(18)) > 0, balance);
    }

    static void legacy(World world) throws Exception {
        TransactionReceipt receipt = send(world, RECEIVER, "", BigInteger.ONE, false);
        check(receipt.isStatusOK() && receipt.getType().equals("0x0"), receipt);
    }

    static void dynamicFee(World world) throws Exception {
        TransactionReceipt receipt = send(world, RECEIVER, "", BigInteger.ONE, true);
        check(receipt.isStatusOK() && receipt.getType().equals("0x2"), receipt);
        var found = answer(world.web3.ethGetTransactionByHash(receipt.getTransactionHash()).send()).getTransaction().orElseThrow();
        check(found.getFrom().equals(world.rich.getAddress()) && found.getChainId() == 31337, found.getFrom());
    }

    static void contract(World world) throws Exception {
        String address = deploy(world);
        TransactionReceipt receipt = send(world, address, set(42), BigInteger.ZERO, true);
        check(value(world, address).intValue() == 42, "value");
        check(receipt.getLogs().get(0).getTopics().get(0).equals(EventEncoder.encode(NOTED)), receipt);
        var block = DefaultBlockParameter.valueOf(receipt.getBlockNumber());
        EthFilter filter = new EthFilter(block, block, address).addSingleTopic(EventEncoder.encode(NOTED));
        var logs = answer(world.web3.ethGetLogs(filter).send()).getLogs();
        check(logs.size() == 1 && ((Log) logs.get(0).get()).getTransactionHash().equals(receipt.getTransactionHash()), logs);
        check(answer(world.web3.ethGetCode(address, DefaultBlockParameterName.LATEST).send()).getCode().length() > 100, "code");
        String slot = answer(world.web3.ethGetStorageAt(address, BigInteger.ZERO, DefaultBlockParameterName.LATEST).send()).getData();
        check(Numeric.toBigInt(slot).intValue() == 42, slot);
    }

    static void reverts(World world) throws Exception {
        Transaction call = Transaction.createEthCallTransaction(RECEIVER, deploy(world), set(0));
        var answer = world.web3.ethCall(call, DefaultBlockParameterName.LATEST).send();
        check(answer.isReverted() && answer.getRevertReason().contains("zero"), answer.getRevertReason());
        var estimate = world.web3.ethEstimateGas(call).send();
        check(estimate.hasError() && estimate.getError().getMessage().equals("execution reverted: zero"), estimate.getError());
    }

    static void fees(World world) throws Exception {
        Transaction call = Transaction.createEthCallTransaction(RECEIVER, deploy(world), set(5));
        BigInteger estimate = answer(world.web3.ethEstimateGas(call).send()).getAmountUsed();
        check(estimate.intValue() > 40000 && estimate.intValue() < 70000, estimate);
        var history = answer(world.web3.ethFeeHistory(2, DefaultBlockParameterName.LATEST, List.of(10.0, 90.0)).send()).getFeeHistory();
        check(history.getBaseFeePerGas().size() == 3 && history.getReward().size() == 2, history.getReward());
        BigInteger tip = answer(world.web3.ethMaxPriorityFeePerGas().send()).getMaxPriorityFeePerGas();
        check(tip.compareTo(world.leastTip) >= 0, tip);
    }

    /** Filters of the node, which the client asks for news. */
    static void filters(World world) throws Exception {
        String address = deploy(world);
        EthFilter filter = new EthFilter(DefaultBlockParameterName.LATEST, DefaultBlockParameterName.LATEST, address);
        var log = first(world.web3.ethLogFlowable(filter).map(Log::getTransactionHash));
        var block = first(world.web3.blockFlowable(true).map(found -> found.getBlock().getTransactions().size()));
        Thread.sleep(500); // the filters are there
        String hash = send(world, address, set(6), BigInteger.ZERO, true).getTransactionHash();
        check(log.get(10, TimeUnit.SECONDS).equals(hash), "a log");
        check(block.get(10, TimeUnit.SECONDS) == 1, "a block");
    }

    static void subscriptions(World world) throws Exception {
        String address = deploy(world);
        var log = first(world.socket.logsNotifications(List.of(address), List.of()).map(found -> found.getParams().getResult()));
        var head = first(world.socket.newHeadsNotifications().map(found -> found.getParams().getResult()));
        Thread.sleep(500); // the subscriptions are there
        TransactionReceipt receipt = send(world, address, set(7), BigInteger.ZERO, true);
        check(log.get(10, TimeUnit.SECONDS).getTransactionHash().equals(receipt.getTransactionHash()), "a log");
        check(Numeric.decodeQuantity(head.get(10, TimeUnit.SECONDS).getNumber()).equals(receipt.getBlockNumber()), "a head");
    }

    static void typedData(World world) throws Exception {
        String data = "{\"types\":{\"EIP712Domain\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"chainId\",\"type\":\"uint256\"}],"
            + "\"Note\":[{\"name\":\"from\",\"type\":\"address\"},{\"name\":\"text\",\"type\":\"string\"}]},\"primaryType\":\"Note\","
            + "\"domain\":{\"name\":\"notebook\",\"chainId\":31337},\"message\":{\"from\":\"" + RECEIVER + "\",\"text\":\"hello\"}}";
        Sign.SignatureData own = Sign.signMessage(new StructuredDataEncoder(data).hashStructuredData(), world.rich.getEcKeyPair(), false);
        String signed = raw(world, "eth_signTypedData_v4", world.rich.getAddress(), new ObjectMapper().readTree(data)).asText();
        String ours = Numeric.toHexString(own.getR()) + Numeric.toHexStringNoPrefix(own.getS()) + Numeric.toHexStringNoPrefix(own.getV());
        check(signed.equals(ours), signed + " is not " + ours);
    }

    static void impersonated(World world) throws Exception {
        raw(world, "anvil_setBalance", NOBODY, "0xde0b6b3a7640000");
        raw(world, "anvil_impersonateAccount", NOBODY);
        Transaction transfer = Transaction.createEtherTransaction(NOBODY, null, GWEI.multiply(BigInteger.TEN), BigInteger.valueOf(21000), RECEIVER,
            BigInteger.ONE);
        String hash = answer(world.web3.ethSendTransaction(transfer).send()).getTransactionHash();
        TransactionReceipt receipt = world.receipts.waitForTransactionReceipt(hash);
        EthBlock.Block block = answer(world.web3.ethGetBlockByHash(receipt.getBlockHash(), true).send()).getBlock();
        var found = (EthBlock.TransactionObject) block.getTransactions().get(0).get();
        check(found.getHash().equals(hash) && found.getFrom().equals(NOBODY), found.getFrom());
        check(answer(world.web3.ethGetBlockReceipts(DefaultBlockParameter.valueOf(block.getNumber())).send()).getBlockReceipts()
            .orElseThrow().size() == 1, "receipts of the block");
    }

    static String attempt(Method scenario, World world) {
        try {
            scenario.invoke(null, world);
            return "ok";
        } catch (ReflectiveOperationException failure) {
            StringWriter text = new StringWriter();
            failure.getCause().printStackTrace(new PrintWriter(text));
            return text.toString();
        }
    }

    static World world(String url, JsonNode book) throws Exception {
        HttpService http = new HttpService(url);
        Web3j web3 = Web3j.build(http, 100, java.util.concurrent.Executors.newScheduledThreadPool(2));
        WebSocketService socket = new WebSocketService(url.replaceFirst("http", "ws"), false);
        socket.connect();
        Credentials rich = Credentials.create("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
        return new World(web3, http, Web3j.build(socket), rich, new RawTransactionManager(web3, rich, 31337),
            new PollingTransactionReceiptProcessor(web3, 50, 400), book.get("creation").asText(), book.get("accounts").asInt(),
            BigInteger.valueOf(book.get("leastTip").asLong()));
    }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        World world = world(arguments[0], json.readTree(System.in));
        Map<String, String> answers = new TreeMap<>();
        for (Method method : Chain.class.getDeclaredMethods())
            if (method.getParameterCount() == 1 && method.getParameterTypes()[0] == World.class && method.getReturnType() == void.class
                && Modifier.isStatic(method.getModifiers()) && !method.isSynthetic()) answers.put(method.getName(), attempt(method, world));
        System.out.println(json.writeValueAsString(answers));
        System.exit(0); // threads of the library would keep it
    }
}
