"""The errors of all contracts as one enum. An error that several contracts declare is one."""
from . import names, text, values
from .keccak import keccak256


class Error:
    def __init__(self, contract, entry):
        self.solidity = entry["name"]
        self.short = names.snake(entry["name"])
        self.constant = f"CONTRACT_ERROR_{self.short.upper()}"
        self.inputs = [(one["name"], contract.types.of(one)) for one in entry["inputs"]]
        self.signature = f"{self.solidity}({','.join(kind.canonical for _, kind in self.inputs)})"
        self.selector = int.from_bytes(keccak256(self.signature.encode())[:4], "big")
        sentence = contract.notice("errors", self.signature).removesuffix(".")
        self.notice = sentence[:1].lower() + sentence[1:]


def gather(contracts):
    """By name. The sentence stands at one declaration at least; two that part are refused, as are other arguments."""
    found = {}
    for contract in contracts:
        for error in (Error(contract, entry) for entry in contract.entries("error")):
            known = found.setdefault(error.solidity, error)
            known.notice = known.notice or error.notice
            if known.signature != error.signature or error.notice not in ("", known.notice):
                raise ValueError(f"{contract.name} declares {error.signature} unlike another contract")
    for error in found.values():
        if not error.notice:
            raise ValueError(f"the error {error.signature} has no sentence (///) in any contract")
    return sorted(found.values(), key=lambda error: error.solidity)


HEADER = """/*
 * Why a contract refused: made by tools/make-contract-bindings from contracts/artifacts. Threads: pure.
 */
#ifndef HEALTH_CONTRACTS_ERRORS_H
#define HEALTH_CONTRACTS_ERRORS_H

#include "base/mem.h"
#include "eth/u256.h"
"""

READ_COMMENT = """/* Of what a reverted call returned; never fails. `text` is a view into it. */
struct contract_refusal contract_refusal_read(struct bytes revert_data);
/* "StaleEpoch"; "" of CONTRACT_ERROR_NONE. */
const char *contract_error_name(enum contract_error error);
/* A sentence for people, without a full stop. */
const char *contract_error_text(enum contract_error error);

#endif
"""


def header(contracts, errors):
    includes = sorted({f'#include "health/contracts/{contract.prefix}.h"' for contract in contracts
                       for entry in contract.entries("error")
                       for one in entry["inputs"] if one.get("internalType", "").startswith("enum ")})
    arguments = []
    for error in errors:
        if error.inputs:
            members = [one for name, kind in error.inputs for one in kind.declare(names.member(name))]
            arguments += ["\t\tstruct {", *[f"\t\t\t{one};" for one in members], f"\t\t}} {names.member(error.short)};"]
    return [HEADER.rstrip(), *includes, "", "enum contract_error {",
            "\tCONTRACT_ERROR_NONE,    /* it succeeded */",
            "\tCONTRACT_ERROR_SILENT,  /* reverted without data */",
            "\tCONTRACT_ERROR_UNKNOWN, /* reverted with data that no contract here declares */",
            "\tCONTRACT_ERROR_TEXT,    /* Error(string) */", "\tCONTRACT_ERROR_PANIC,   /* Panic(uint256) */",
            *[f"\t{error.constant}," for error in errors], "\tCONTRACT_ERROR_COUNT", "};", "",
            "struct contract_refusal {", "\tenum contract_error error;",
            "\tuint32_t selector; /* 0: there was none */", "\tunion {", "\t\tstruct bytes text;",
            "\t\tuint64_t panic_code;",
            *arguments, "\t};", "};", "", *READ_COMMENT.splitlines()]


def selectors(errors):
    rows = [("0x08c379a0u", "CONTRACT_ERROR_TEXT"), ("0x4e487b71u", "CONTRACT_ERROR_PANIC")]
    rows += [(f"0x{error.selector:08x}u", error.constant) for error in errors]
    return ["static const struct {", "\tuint32_t selector;", "\tenum contract_error error;", "} selectors[] = {",
            *[f"    {{{selector}, {constant}}}," for selector, constant in rows], "};", ""]


FIND = ["size_t i = 0, count = sizeof selectors / sizeof *selectors;",
        "while (i < count && selectors[i].selector != selector) i++;",
        "return i < count ? selectors[i].error : CONTRACT_ERROR_UNKNOWN;"]
BEGIN = ["struct contract_refusal refusal = {.error = CONTRACT_ERROR_SILENT};", "if (data.len < 4) return refusal;",
         "struct abi_reader reader = abi_reader(bytes_slice(data, 4, data.len));",
         "refusal.selector = load_be32(data.data);",
         "refusal.error = error_of(refusal.selector);",
         "if (refusal.error == CONTRACT_ERROR_UNKNOWN) return refusal;",
         "if (refusal.error == CONTRACT_ERROR_TEXT) refusal.text = abi_bytes(&reader);",
         "if (refusal.error == CONTRACT_ERROR_PANIC) refusal.panic_code = abi_u64(&reader);"]
END = ["if (abi_finish_whole(&reader, NULL) == STATUS_OK) return refusal;",
       "return (struct contract_refusal){.error = CONTRACT_ERROR_UNKNOWN, .selector = refusal.selector};"]


def read_arguments(error):
    lines = [f"if (refusal.error == {error.constant}) {{"]
    for name, kind in error.inputs:
        target = f"refusal.{names.member(error.short)}.{names.member(name)}"
        lines += ["\t" + line for line in values.read_value(kind, "&reader", target)]
    if len(lines) > 2:
        return lines + ["}"]
    return text.one_or_two(lines[0].removesuffix(" {"), " ", lines[1].strip(), "\t", indent="\t")


def source(errors):
    arguments = [line for error in errors if error.inputs for line in read_arguments(error)]
    read = "struct contract_refusal contract_refusal_read", ["struct bytes data"]
    return ["/* Made by tools/make-contract-bindings. */", '#include "health/contracts/errors.h"', "",
            '#include "eth/abi.h"', "",
            *selectors(errors), *text.define(("static enum contract_error error_of", ["uint32_t selector"]), FIND),
            *text.define(read, BEGIN + arguments + END),
            *table("name", NAMES, [(error.constant, error.solidity) for error in errors]),
            *table("text", TEXTS, [(error.constant, error.notice) for error in errors])]


NAMES = [("NONE", ""), ("SILENT", "no reason"), ("UNKNOWN", "an unknown error"), ("TEXT", "Error"), ("PANIC", "Panic")]
TEXTS = [("NONE", "done"), ("SILENT", "the contract gave no reason"),
         ("UNKNOWN", "the contract gave a reason that this program does not know"),
         ("TEXT", "the contract refused with a text"), ("PANIC", "the contract failed, which is a bug in it")]


def table(what, fixed, rows):
    entries = [(f"CONTRACT_ERROR_{name}", words) for name, words in fixed] + rows
    body = ["static const char *const words[CONTRACT_ERROR_COUNT] = {",
            *[line for constant, words in entries
              for line in text.one_or_two(f"    [{constant}] =", " ", f'"{words}",', "\t", indent="\t")], "};",
            'return (unsigned)error < CONTRACT_ERROR_COUNT ? words[error] : "";']
    return text.define((f"const char *contract_error_{what}", ["enum contract_error error"]), body)
