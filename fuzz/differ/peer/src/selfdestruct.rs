//! revm moves the funds and touches SELFDESTRUCT's heir first and charges for making the heir then. Undoing hides that, but
//! for account 3, which keeps a touch (EIP-716). By the Yellow Paper, and in geth, what cannot be paid changes nothing.

use revm::interpreter::instructions::host;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::InputsTr;
use revm::interpreter::{Host, InstructionContext, InstructionExecResult, InstructionResult};
use revm::primitives::{address, hardfork::SpecId, Address, U256};

const RIPEMD160: Address = address!("0000000000000000000000000000000000000003");

/// Whether `own` leaves funds to account 3 that is empty, without the gas to make it.
fn cannot_pay<H: Host + ?Sized>(host: &mut H, own: Address, gas: u64) -> bool {
    let is_zero = |balance: Option<U256>| balance.is_none_or(|wei| wei.is_zero());
    let leaves = !is_zero(host.balance(own).map(|load| load.data));
    let makes = is_zero(host.balance(RIPEMD160).map(|load| load.data));
    leaves && makes && gas < host.gas_params().selfdestruct_cost(true, false)
}

pub fn charged_first<H: Host + ?Sized>(context: InstructionContext<'_, H, EthInterpreter>) -> InstructionExecResult {
    let interpreter = &context.interpreter;
    let clears = interpreter.runtime_flag.spec_id.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    let is_ripemd160 = interpreter.stack.peek(0).is_ok_and(|word| Address::from_word(word.into()) == RIPEMD160);
    if clears && is_ripemd160 && !interpreter.runtime_flag.is_static {
        let (own, gas) = (interpreter.input.target_address(), interpreter.gas.remaining());
        if cannot_pay(context.host, own, gas) {
            return Err(InstructionResult::OutOfGas);
        }
    }
    host::selfdestruct(context)
}
