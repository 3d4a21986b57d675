"""A witness: it executes every block of a node by itself, signs heads for whoever asks, and never two of one height."""
import json
import os
import shutil

import eth_account
import pytest
from eth_account.messages import encode_typed_data

from machine import Node, Refused, RpcError, cli, wait_for

CHAIN_ID = 7701
CHALLENGE = "0x" + "c4" * 32
senders = [eth_account.Account.from_key("0x" + digits * 32) for digits in ("31", "32")]
HEAD = [{"name": "number", "type": "uint64"}, {"name": "hash", "type": "bytes32"}, {"name": "time", "type": "uint64"},
        {"name": "challenge", "type": "bytes32"}]
SEAL = HEAD[:2]


def signer_of(genesis, signature, kind, types, message):
    """Whoever signed such a statement of the chain with this genesis hash."""
    domain = {"name": "xinglin chain", "version": "1", "chainId": CHAIN_ID, "salt": bytes.fromhex(genesis[2:])}
    message = {name: bytes.fromhex(value[2:]) if isinstance(value, str) else value for name, value in message.items()}
    signable = encode_typed_data(domain, {kind: types}, message)
    return eth_account.Account.recover_message(signable, signature=signature)


def signer_of_head(genesis, head, challenge=CHALLENGE):
    message = {"number": int(head["number"], 16), "hash": head["hash"], "time": int(head["time"], 16),
               "challenge": challenge}
    return signer_of(genesis, head["signature"], "Head", HEAD, message)


def send(node, sender, nonce, value=0):
    tx = {"nonce": nonce, "to": "0x" + "11" * 20, "value": value, "gas": 21000, "chainId": CHAIN_ID,
          "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    raw = bytes(sender.sign_transaction(tx).raw_transaction)
    return node.receipt(node.rpc("eth_sendRawTransaction", "0x" + raw.hex()))


def block_hash(node, block):
    return node.rpc("eth_getBlockByNumber", block, False)["hash"]


class Witnessed:
    """A node of a chain of its own, and witnesses of it."""

    def __init__(self, folder):
        self.folder, self.running = folder, []
        cli("init", "--data", folder / "node", "--deployer", senders[0].address, "--chain-id", CHAIN_ID)
        self.genesis_file = folder / "node" / "genesis.json"
        self.node = self.start("node", "node")
        self.genesis = self.node.rpc("xinglin_chainInfo")["genesisHash"]

    def start(self, name, mode, *options):
        self.running.append(Node(self.folder / name, mode, *options))
        return self.running[-1]

    def witness(self, name="witness", node=None, *options):
        return self.start(name, "witness", "--node", (node or self.node).url, "--genesis", self.genesis_file,
                          "--poll-ms", "10", *options)


@pytest.fixture
def chain(tmp_path):
    witnessed = Witnessed(tmp_path)
    yield witnessed
    for process in witnessed.running:
        process.kill()


def head_of(witness, number):
    """The witness's head, once it has that block."""
    def head():
        try:
            found = witness.rpc("xinglin_head", CHALLENGE)
        except RpcError as error:
            assert "signs nothing" in error.message
            return None
        return int(found["number"], 16) >= number and found
    return wait_for(head)


def refusal(witness, *params):
    with pytest.raises(RpcError) as refused:
        witness.rpc("xinglin_head", *params)
    return refused.value.message


def test_a_node_signs_what_it_sealed_and_its_head(chain):
    receipt = send(chain.node, senders[0], 0)
    head = chain.node.rpc("xinglin_head", CHALLENGE)
    assert head["hash"] == receipt["blockHash"] and head["header"] == chain.node.rpc("debug_getRawHeader", "latest")
    assert signer_of_head(chain.genesis, head) == chain.node.started["sealer"]
    seal = chain.node.rpc("xinglin_sealOf", head["hash"])
    message = {"number": int(head["number"], 16), "hash": head["hash"]}
    assert signer_of(chain.genesis, seal["signature"], "Seal", SEAL, message) == chain.node.started["sealer"]
    other = signer_of_head(chain.genesis, head, "0x" + "c5" * 32)
    assert other != chain.node.started["sealer"]


def test_a_witness_executes_and_signs_with_a_key_of_its_own(chain):
    for nonce in range(5):
        send(chain.node, senders[0], nonce)
    witness = chain.witness()
    account = witness.started["witness"]
    head = head_of(witness, 5)
    assert head["hash"] == block_hash(chain.node, "latest")
    assert signer_of_head(chain.genesis, head) == account != chain.node.started["sealer"]
    # It executed them: it proves the same state from its own database.
    asked = senders[0].address, [], {"blockHash": head["hash"]}
    proof = witness.rpc("eth_getProof", *asked)
    assert proof == chain.node.rpc("eth_getProof", *asked) and proof["nonce"] == "0x5"
    # A block that was its newest shortly before may be asked for; others may not.
    parent = chain.node.rpc("eth_getBlockByNumber", "0x4", False)
    named = witness.rpc("xinglin_head", CHALLENGE, parent["hash"])
    assert named["number"] == "0x4" and signer_of_head(chain.genesis, named) == account
    assert "not found" in refusal(witness, CHALLENGE, "0x" + "99" * 32)
    for nonce in range(5, 25):
        send(chain.node, senders[0], nonce)
    head_of(witness, 25)
    assert "not new any more" in refusal(witness, CHALLENGE, parent["hash"])


def test_a_witness_takes_no_transactions_and_says_what_it_serves(chain):
    witness = chain.witness()
    for method in ("eth_sendRawTransaction", "eth_call", "xinglin_sealOf"):
        with pytest.raises(RpcError) as refused:
            witness.rpc(method, "0x00")
        assert refused.value.code == -32601
    assert witness.rpc("eth_chainId") == hex(CHAIN_ID)


def test_a_killed_witness_goes_on_with_its_key(chain):
    send(chain.node, senders[0], 0)
    witness = chain.witness()
    head_of(witness, 1)
    witness.kill()
    send(chain.node, senders[0], 1)
    again = chain.witness()
    assert again.started["witness"] == witness.started["witness"] and again.started["head"] == 1
    assert signer_of_head(chain.genesis, head_of(again, 2)) == again.started["witness"]
    assert oct(os.stat(chain.folder / "witness" / "node.key").st_mode & 0o777) == "0o600"


def test_a_witness_waits_for_its_node(chain):
    port = chain.node.port
    chain.node.stop()
    witness = chain.witness()
    assert "no answer from the node" in wait_for(lambda: "no answer" in (m := refusal(witness, CHALLENGE)) and m)
    chain.node = chain.running[0] = Node(chain.folder / "node", "node", port=port)
    send(chain.node, senders[0], 0)
    head_of(witness, 1)


def test_a_witness_never_signs_two_blocks_of_one_height(chain):
    """The sealer itself shows two branches: a copy of its folder, with its key, seals another block 2."""
    send(chain.node, senders[0], 0)
    assert chain.node.stop() == 0
    shutil.copytree(chain.folder / "node", chain.folder / "other")
    first = chain.start("node", "node")
    other = chain.start("other", "node")
    send(first, senders[0], 1)
    send(other, senders[1], 0)
    assert block_hash(first, "0x2") != block_hash(other, "0x2")
    witness = chain.witness(node=first)
    head = head_of(witness, 2)
    assert witness.stop() == 0
    witness = chain.witness(node=other)
    assert "another block 2" in wait_for(lambda: "another" in (m := refusal(witness, CHALLENGE)) and m)
    send(other, senders[1], 1)
    assert "not found" in refusal(witness, CHALLENGE, block_hash(other, "latest"))
    assert witness.stop() == 0
    assert head_of(chain.witness(node=first), 2)["hash"] == head["hash"]


def test_a_block_that_the_sealer_did_not_seal_is_not_taken(chain, tmp_path):
    """A valid block of the chain, shown by a node that has no seal of it."""
    send(chain.node, senders[0], 0)
    blocks = tmp_path / "chain.rlp"
    assert chain.node.stop() == 0
    cli("export", "--data", chain.folder / "node", "--from", 1, blocks)
    cli("import", "--data", tmp_path / "copy", "--genesis", chain.genesis_file, blocks)
    # A node that imported the block has seals of those alone that it makes itself.
    shutil.copy(chain.folder / "node" / "node.key", tmp_path / "copy" / "node.key")
    bare = chain.start("copy", "node")
    witness = chain.witness(node=bare)
    assert "did not seal it" in wait_for(lambda: "seal" in (m := refusal(witness, CHALLENGE)) and m)
    assert witness.head() == 0


def test_a_witness_of_another_chain_is_refused(chain, tmp_path):
    genesis = json.loads(chain.genesis_file.read_text())
    genesis["timestamp"] = hex(int(genesis["timestamp"], 16) + 1)
    other = tmp_path / "genesis.json"
    other.write_text(json.dumps(genesis))
    witness = chain.start("stray", "witness", "--node", chain.node.url, "--genesis", other, "--poll-ms", "10")
    assert "another block 0" in wait_for(lambda: "another" in (m := refusal(witness, CHALLENGE)) and m)


def test_a_deployment_names_its_witnesses(tmp_path):
    home, account = tmp_path / "registrar", "0x" + "ab" * 20
    deployer = cli("wallet", "new", "--home", home, "--light-kdf")["account"]
    cli("init", "--data", tmp_path / "node", "--deployer", deployer)
    node = Node(tmp_path / "node", "node")
    try:
        deploy = ("deploy", "--home", home, "--rpc", node.url, "--registrars", deployer, "--out", tmp_path / "d.json")
        for witnesses, threshold in ((account, 1), (account + "=", 1), ("0x12=http://w", 1),
                                     (account + "=http://w1", 2), (account + "=http://w1", 0)):
            with pytest.raises(Refused) as refused:
                cli(*deploy, "--witnesses", witnesses, "--witness-threshold", threshold)
            assert refused.value.code == 2 and "--witness" in refused.value.report["error"]
        cli(*deploy, "--witnesses", f"{account}=http://w1:8700,{deployer}=http://w2:8700")
    finally:
        assert node.stop() == 0
    written = json.loads((tmp_path / "d.json").read_text())
    assert written["v"] == 2 and written["registrars"] == [deployer.lower()] and written["threshold"] == 1
    assert written["witnesses"] == {"accounts": [account, deployer.lower()], "threshold": 2,
                                    "urls": ["http://w1:8700", "http://w2:8700"]}
