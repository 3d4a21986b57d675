"""What a strict client asks of a transaction's signature before it takes a transaction, or a block that holds one:
go-ethereum's rules (core/types: ValidateSignatureValues with Homestead's, and the chain id in a legacy v)."""

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def quantity(value):
    """A quantity as strict decoders take it: 0x, no zeros in front."""
    assert isinstance(value, str) and value.startswith("0x"), value
    assert value == "0x0" or (len(value) > 2 and value[2] != "0"), value
    return int(value, 16)


def check(tx):
    """Raises if the transaction would be refused."""
    v, r, s = (quantity(tx[name]) for name in "vrs")
    kind = quantity(tx["type"])
    assert 1 <= r < ORDER and 1 <= s <= ORDER // 2, "invalid transaction v, r, s values"
    if kind == 0:
        assert v in (27, 28) or v >= 35, "invalid transaction v, r, s values"
        if v >= 35 and "chainId" in tx:
            assert (v - 35) // 2 == quantity(tx["chainId"]), "chain id and v differ"
    else:
        assert v in (0, 1), "invalid transaction v, r, s values"
        assert quantity(tx["yParity"]) == v, "'v' and 'yParity' fields do not match"
        assert quantity(tx["chainId"]) > 0
    for name in "nonce", "gas", "value", "gasPrice":
        quantity(tx[name])
    assert len(bytes.fromhex(tx["hash"][2:])) == 32 and len(bytes.fromhex(tx["from"][2:])) == 20
