"""titanoboa, unmodified, against a development chain: titanoboa_chain.py URL. Its own compiler makes the contract. The
answer is
one JSON object, scenario to "ok" or why not."""
import json
import sys
import traceback

import boa
from boa.network import EthereumRPC, ExternalAccount, NetworkEnv
from eth_account import Account

RICH = Account.from_key("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
RECEIVER = "0x00000000000000000000000000000000000A11cE"
SOURCE = """
# pragma version ^0.4.0
event Noted:
    who: indexed(address)
    value: uint256
struct Note:
    value: uint256
    text: String[32]
value: public(uint256)
notes: public(HashMap[address, Note])
@deploy
def __init__(first: uint256):
    self.value = first
@external
@payable
def set(number: uint256):
    assert number > 0, "zero"
    self.value = number
    self.notes[msg.sender] = Note(value=number, text="noted")
    log Noted(who=msg.sender, value=number)
"""


def network(env):
    assert env.get_chain_id() == 31337
    assert env.get_balance(RICH.address) > 10**18


def transfer(env):
    before = env.get_balance(RECEIVER)
    env.execute_code(RECEIVER, value=5, sender=RICH.address)
    assert env.get_balance(RECEIVER) == before + 5


def contract(env):
    book = boa.loads(SOURCE, 40)
    assert book.value() == 40
    book.set(42, value=7)
    noted = book.get_logs()
    assert [(event.who, event.value) for event in noted] == [(RICH.address, 42)], noted
    assert book.value() == 42 and env.get_balance(book.address) == 7
    note = book.notes(RICH.address)
    assert (note[0], note[1]) == (42, "noted"), note


def found_again(env):
    book = boa.loads(SOURCE, 3)
    again = boa.loads_partial(SOURCE).at(book.address)
    again.set(4)
    assert book.value() == 4


def reverts(env):
    book = boa.loads(SOURCE, 1)
    with boa.reverts("zero"):
        book.set(0)
    assert book.value() == 1


def anchor(env):
    book = boa.loads(SOURCE, 1)
    with env.anchor():
        book.set(9)
        assert book.value() == 9
    assert book.value() == 1


def impersonated(env):
    nobody = "0x00000000000000000000000000000000000b0B00"
    env._rpc.fetch("anvil_setBalance", [nobody, hex(10**18)])
    env._rpc.fetch("anvil_impersonateAccount", [nobody])
    env.add_account(ExternalAccount(nobody, env._rpc))
    book = boa.loads(SOURCE, 1)
    with env.prank(nobody):
        book.set(6)
    assert book.value() == 6 and book.notes(nobody)[0] == 6


def main():
    env = NetworkEnv(EthereumRPC(sys.argv[1]))
    boa.set_env(env)
    env.add_account(RICH, force_eoa=True)
    answers = {}
    for scenario in (network, transfer, contract, found_again, reverts, anchor, impersonated):
        try:
            scenario(env)
            answers[scenario.__name__] = "ok"
        except Exception:  # the test reports it
            answers[scenario.__name__] = traceback.format_exc()
    print(json.dumps(answers))


main()
