"""Answers as clients expect them: ids, numbers, keys, prefixes and words."""
import pytest

from machine import RpcError

A, B = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x" + "0b" * 20


def refusal(node, method, *params):
    with pytest.raises(RpcError) as caught:
        node.rpc(method, *params)
    return caught.value


def test_a_filter_of_before_a_restart_is_nobody_elses(start_node, tmp_path):
    node = start_node(tmp_path / "chain")
    old = node.rpc("eth_newFilter", {})
    assert node.stop() == 0
    node = start_node(tmp_path / "chain")
    new = [node.rpc("eth_newBlockFilter") for _ in range(20)]
    assert old not in new and len(set(new)) == 20
    node.rpc("evm_mine")
    assert refusal(node, "eth_getFilterChanges", old).message == "filter not found"
    assert node.rpc("eth_uninstallFilter", old) is False
    assert len(node.rpc("eth_getFilterChanges", new[0])) == 1


# --- numbers, keys, prefixes ---

def test_a_count_of_fee_history_may_be_decimal_or_have_zeros_in_front(dev):
    expected = dev.rpc("eth_feeHistory", "0x2", "latest", [])
    for count in "2", "0x02", "02", 2, "0X2":
        assert dev.rpc("eth_feeHistory", count, "latest", []) == expected
    for count in "", "0x", "-1", "1.0", 1.5, "0xg", "2 ", "0x1" + "0" * 16, [], True:
        assert refusal(dev, "eth_feeHistory", count, "latest", []).code == -32602


def test_dev_numbers_may_be_decimal(dev):
    for spelled, wei in ("100", "0x64"), (100, "0x64"), ("0x0064", "0x64"), ("1" + "0" * 21, hex(10**21)), (10**21, hex(10**21)):
        dev.rpc("anvil_setBalance", B, spelled)
        assert dev.rpc("eth_getBalance", B) == wei
    dev.rpc("anvil_setNonce", B, "7")
    assert dev.rpc("eth_getTransactionCount", B) == "0x7"
    assert refusal(dev, "anvil_setBalance", B, str(1 << 256)).code == -32602


def test_a_storage_key_needs_no_prefix(dev):
    dev.rpc("anvil_setStorageAt", B, "0x1f", "0x" + "00" * 31 + "2a")
    word = "0x" + "00" * 31 + "2a"
    for key in "0x1f", "1f", "0X1F", "0x01f", "0" * 62 + "1f", "0x" + "0" * 62 + "1f":
        assert dev.rpc("eth_getStorageAt", B, key, "latest") == word, key
        assert dev.rpc("eth_getStorageValues", {B: [key]}) == {B: [word]}
        proof = dev.rpc("eth_getProof", B, [key], "latest")["storageProof"][0]
        assert proof["value"] == "0x2a" and int(proof["key"], 16) == 0x1F
        assert len(proof["key"]) == (66 if len(key) >= 64 else 4)  # as it was spelled
    assert dev.rpc("eth_getStorageAt", B, "", "latest") == "0x" + "00" * 32
    assert "storage key too long" in refusal(dev, "eth_getStorageAt", B, "0" * 65, "latest").message
    assert "invalid hex in storage key" in refusal(dev, "eth_getStorageAt", B, "xyz", "latest").message


def test_a_capital_x_is_a_prefix_too(dev):
    upper = "0X" + A[2:]
    head = dev.rpc("eth_getBlockByNumber", "latest", False)
    assert dev.rpc("eth_getBalance", upper, "latest") == dev.rpc("eth_getBalance", A, "latest")
    assert dev.rpc("eth_getBlockByNumber", "0X0", False) == dev.rpc("eth_getBlockByNumber", "0x0", False)
    assert dev.rpc("eth_getBlockByHash", "0X" + head["hash"][2:], False)["hash"] == head["hash"]
    assert dev.rpc("web3_sha3", "0X00") == dev.rpc("web3_sha3", "0x00")
    assert dev.rpc("eth_getLogs", {"address": upper, "topics": ["0X" + "11" * 32]}) == []
    answer = {"code": "0X5f545f5260205ff3", "balance": "0X1", "stateDiff": {"0X" + "00" * 32: "0X" + "00" * 31 + "2a"}}
    call = {"from": upper, "to": "0X" + B[2:], "gas": "0X186a0", "data": "0X00",
            "accessList": [{"address": upper, "storageKeys": ["0X" + "00" * 32]}]}
    assert int(dev.rpc("eth_call", call, "latest", {"0X" + B[2:]: answer}), 16) == 42
    for bad in "0y" + A[2:], A[2:], "0X" + A[3:]:
        assert refusal(dev, "eth_getBalance", bad, "latest").code == -32602


def test_input_wins_over_data_but_not_in_what_is_signed(dev):
    echo = {B: {"code": "0x5f355f5260205ff3"}}  # the first word of its input
    both = {"from": A, "to": B, "data": "0x" + "11" * 32, "input": "0x" + "22" * 32}
    assert dev.rpc("eth_call", both, "latest", echo) == "0x" + "22" * 32
    assert dev.rpc("eth_call", {**both, "input": None}, "latest", echo) == "0x" + "11" * 32
    assert dev.rpc("eth_estimateGas", both) == dev.rpc("eth_estimateGas", {**both, "data": None})
    for method in "eth_sendTransaction", "eth_fillTransaction":
        assert 'both "data" and "input" are set and not equal' in refusal(dev, method, both).message
