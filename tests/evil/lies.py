"""The lies. Each changes what the honest node answers, and counts in `told` how often it did: a lie that was never told
shows nothing. Which program hears which lie is said in the tests."""
import json

import rlp
from eth_utils import keccak

from machine import RpcError

# The generator of P-256: a point whose secret everybody knows (it is 1).
FALSE_X = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
FALSE_Y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"


class Lie:
    """Nothing but the truth. A lie replaces one or more of these."""

    def __init__(self):
        self.told = 0

    def answer(self, method, params, ask):
        """A call's result; `ask(method, params)` is the honest node's."""
        return ask(method, params)

    def blob(self, path, get):
        """Status and bytes of a blob; `get(path)` is the honest node's."""
        return get(path)

    def put(self, path, put):
        """Status and bytes for a blob that is put; `put(end)` puts it at the honest node, at the path with this end."""
        return 201, b"{}"

    def taken(self, raw, ask):
        """The result of sending a transaction, which goes no further unless a lie lets it."""
        raise RpcError({"code": -32000, "message": "the evil node keeps it"})

    def send(self, handler, content):
        """Writes the answer, behind its status line."""
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def changed(self, honest, false):
        self.told += honest != false
        return false


class Swap(Lie):
    """One word for another wherever it stands in an answer: in calls, logs, calldata, and in proofs if `proofs`.
    `about`: only in answers about this contract, and in transactions. `asked` replaces words of the question."""

    def __init__(self, words, proofs=False, about=None, asked=None):
        super().__init__()
        self.words, self.proofs, self.about, self.asked = words, proofs, about, asked or {}

    def answer(self, method, params, ask):
        question = json.dumps(params)
        if self.about and self.about not in question and method != "eth_getTransactionByHash":
            return ask(method, params)
        if method == "eth_getProof" and not self.proofs:
            return ask(method, params)
        other = self.changed(question, replaced(question, self.asked))
        honest = json.dumps(ask(method, json.loads(other)))
        return json.loads(self.changed(honest, replaced(honest, self.words)))


def replaced(text, words):
    for honest, false in words.items():
        text = text.replace(honest, false)
    return text


class LeaveOut(Lie):
    """Logs of one event are not served; `holding`: only those that hold this word."""

    def __init__(self, topic, holding=""):
        super().__init__()
        self.topic, self.holding = topic, holding

    def answer(self, method, params, ask):
        result = ask(method, params)
        if method != "eth_getLogs":
            return result
        return self.changed(result, [log for log in result if not self.hides(log)])

    def hides(self, log):
        return log["topics"][0] == self.topic and self.holding in json.dumps(log)


class Unreadable(Lie):
    """The transaction of one log holds what nobody can read; the log names another account, if `other` is given."""

    def __init__(self, log, other=None):
        super().__init__()
        self.log, self.other = log, other

    def answer(self, method, params, ask):
        result = ask(method, params)
        if method == "eth_getTransactionByHash" and params[0] == self.log["transactionHash"]:
            return self.changed(result, {**result, "input": result["input"][:10] + "00" * 32})
        if method == "eth_getLogs" and self.other:
            return self.changed(result, [self.named(log) for log in result])
        return result

    def named(self, log):
        same = (log["transactionHash"], log["topics"][0]) == (self.log["transactionHash"], self.log["topics"][0])
        return {**log, "topics": [*log["topics"][:3], self.other]} if same else log


class Past(Lie):
    """The state and the logs are those of an earlier block. The head is the newest, unless `head` is "hidden": then
    the node signs no head, and shows the earlier block as its newest. `about`: only of this contract."""

    AT = {"eth_call": 1, "eth_getProof": 2, "eth_getTransactionCount": 1, "eth_getStorageAt": 2, "eth_getCode": 1,
          "eth_estimateGas": 1, "eth_getBalance": 1}

    def __init__(self, block, head="newest", about=None):
        super().__init__()
        self.block, self.head, self.about = block, head, about

    def answer(self, method, params, ask):
        if self.about and self.about not in json.dumps(params):
            return ask(method, params)
        if self.head == "hidden" and method in ("xinglin_head", "debug_getRawHeader", "eth_blockNumber"):
            return self.earlier_head(method, params, ask)
        if method in self.AT:
            return self.earlier(method, params, ask)
        result = ask(method, params)
        if method == "eth_getLogs":
            return self.changed(result, [log for log in result if int(log["blockNumber"], 16) <= self.block])
        return result

    def earlier(self, method, params, ask):
        self.told += 1
        at = self.AT[method]
        return ask(method, [*params[:at], hex(self.block), *params[at + 1:]])

    def earlier_head(self, method, params, ask):
        if method == "xinglin_head":
            raise RpcError({"code": -32601, "message": "the method xinglin_head does not exist"})
        self.told += 1
        return hex(self.block) if method == "eth_blockNumber" else ask(method, [hex(self.block)])


class Answer(Lie):
    """Other answers to some methods: {method: function of (parameters, honest result)}."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def answer(self, method, params, ask):
        if method not in self.answers:
            return ask(method, params)
        try:
            honest = ask(method, params)
        except RpcError:
            honest = None
        return self.changed(honest, self.answers[method](params, honest))


class Error(Lie):
    """An error in place of some methods' results."""

    def __init__(self, message, *methods):
        super().__init__()
        self.message, self.methods = message, methods

    def answer(self, method, params, ask):
        if method not in self.methods:
            return ask(method, params)
        self.told += 1
        raise RpcError({"code": 3, "message": self.message})


class OtherNode(Lie):
    """Some methods are answered by another node, which is honest about another chain."""

    def __init__(self, node, *methods):
        super().__init__()
        self.node, self.methods = node, methods

    def answer(self, method, params, ask):
        if method not in self.methods:
            return ask(method, params)
        self.told += 1
        return self.node.rpc(method, *params)


class Invent(Lie):
    """Logs that are on no chain, and calls that answer accordingly ({beginning of the calldata: output})."""

    def __init__(self, logs, calls=None):
        super().__init__()
        self.logs, self.calls = logs, calls or {}

    def answer(self, method, params, ask):
        if method == "eth_call":
            for beginning, output in self.calls.items():
                if params[0]["data"].startswith(beginning):
                    self.told += 1
                    return output
        result = ask(method, params)
        if method != "eth_getLogs":
            return result
        return self.changed(result, result + [log for log in self.logs if asks_for(params[0], log)])


def asks_for(query, log):
    """eth_getLogs' own rules: address, range of blocks, and topics, each one word, several, or none."""
    if query.get("address", log["address"]) != log["address"]:
        return False
    last = query["toBlock"]
    if int(log["blockNumber"], 16) < int(query["fromBlock"], 16):
        return False
    if last != "latest" and int(log["blockNumber"], 16) > int(last, 16):
        return False
    wanted = [[one] if isinstance(one, str) else one for one in query.get("topics", [])]
    return all(one is None or topic in one for one, topic in zip(wanted, log["topics"]))


class Blob(Lie):
    """Blobs whose path holds this word are changed on the way (`change`: bytes to bytes)."""

    def __init__(self, holding, change):
        super().__init__()
        self.holding, self.change = holding, change

    def blob(self, path, get):
        status, honest = get(path)
        if self.holding not in path:
            return status, honest
        return 200, self.changed(honest, self.change(honest))


class Lost(Lie):
    """Blobs whose path holds this word are not there."""

    def __init__(self, holding):
        super().__init__()
        self.holding = holding

    def blob(self, path, get):
        if self.holding not in path:
            return get(path)
        self.told += 1
        return 404, b'{"code":"not-here","title":"not here","detail":"this node was never given it"}'


class Nonce(Lie):
    """Another nonce of these accounts, `change` of the honest one, in the leaf of the account's proof too."""

    def __init__(self, accounts, change):
        super().__init__()
        self.accounts, self.change = [account.lower() for account in accounts], change

    def answer(self, method, params, ask):
        result = ask(method, params)
        if method == "eth_getTransactionCount":
            return self.changed(result, hex(self.change(int(result, 16))))
        if method != "eth_getProof" or params[0].lower() not in self.accounts:
            return result
        return self.changed(result, self.proof(result))

    def proof(self, honest):
        last = rlp.decode(bytes.fromhex(honest["accountProof"][-1][2:]))
        if len(last) != 2:  # there is no such account yet, and no leaf
            return {**honest, "nonce": hex(self.change(0)), "accountProof": honest["accountProof"][:-1]}
        path, value = last
        fields = rlp.decode(value)
        nonce = self.change(int.from_bytes(fields[0], "big"))
        leaf = rlp.encode([path, rlp.encode([nonce, *fields[1:]])])
        return {**honest, "nonce": hex(nonce), "accountProof": [*honest["accountProof"][:-1], "0x" + leaf.hex()]}


class Taken(Nonce):
    """Transactions are taken and never sent on; then the account's nonce is one higher, and the receipt is one of
    another transaction."""

    def __init__(self, accounts, receipt):
        super().__init__(accounts, lambda nonce: nonce + self.swallowed)
        self.receipt, self.swallowed = receipt, 0

    def taken(self, raw, ask):
        self.swallowed += 1
        return "0x" + keccak(hexstr=raw).hex()

    def answer(self, method, params, ask):
        if method != "eth_getTransactionReceipt":
            return super().answer(method, params, ask)
        self.told += 1
        return {**self.receipt, "transactionHash": params[0]}


class Sent(Answer):
    """Transactions are sent on, and what is shown of their blocks is changed as Answer says."""

    def taken(self, raw, ask):
        return ask("eth_sendRawTransaction", [raw])


class Refused(Lie):
    """Transactions are sent on, and the sender is told that they were not taken."""

    def taken(self, raw, ask):
        ask("eth_sendRawTransaction", [raw])
        self.told += 1
        raise RpcError({"code": -32000, "message": "insufficient funds"})


class Denied(Sent):
    """Transactions are sent on, and their receipts say that they failed."""

    def __init__(self):
        super().__init__(
            eth_getTransactionReceipt=lambda _, honest: honest and {**honest, "status": "0x0", "logs": []},
            xinglin_receiptProofs=lambda _, honest: [[*nodes[:-1], failed_leaf(nodes[-1])] for nodes in honest])


class DeniedByList(Sent):
    """The same, by a node that shows all receipts of a block and proves none."""

    def __init__(self):
        super().__init__(xinglin_receiptProofs=self.unknown,
                         debug_getRawReceipts=lambda _, honest: [failed(receipt) for receipt in honest])

    def unknown(self, *_):
        raise RpcError({"code": -32601, "message": "the method xinglin_receiptProofs does not exist"})


def failed_leaf(node):
    path, receipt = rlp.decode(bytes.fromhex(node[2:]))
    return "0x" + rlp.encode([path, bytes.fromhex(failed("0x" + receipt.hex())[2:])]).hex()


def failed(receipt):
    """A typed receipt's bytes, with status 0 and without logs."""
    fields = rlp.decode(bytes.fromhex(receipt[4:]))
    return receipt[:4] + rlp.encode([b"", fields[1], bytes(256), []]).hex()


class Broken(Lie):
    """The answer itself: "nothing" closes the connection, "half" stops in the middle, "huge" goes on for `BYTES`."""

    BYTES = 200_000_000

    def __init__(self, how):
        super().__init__()
        self.how = how

    def send(self, handler, content):
        self.told += 1
        handler.close_connection = True
        if self.how == "nothing":
            return
        handler.send_header("Content-Length", str(self.BYTES if self.how == "huge" else len(content)))
        handler.end_headers()
        try:
            handler.wfile.write(content[: len(content) // 2])
            for _ in range(self.BYTES // 65536 if self.how == "huge" else 0):
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass  # the program has had enough
