// go-ethereum's ethclient, unmodified, against a chain: ethclient HTTP-URL, a notebook contract as JSON on stdin (abi,
// creation). The answer is one JSON object, scenario to "ok" or why not. ethclient HTTP-URL restarted: restart.go.
package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"log"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/holiman/uint256"
)

const patience = 20 * time.Second

var (
	ether    = new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	gwei     = big.NewInt(1e9)
	receiver = common.HexToAddress("0x00000000000000000000000000000000000a11ce")
)

type world struct {
	context  context.Context
	client   *ethclient.Client
	socket   *ethclient.Client
	chain    *big.Int
	rich     *ecdsa.PrivateKey
	abi      abi.ABI
	creation []byte
}

// must ends a scenario with what went wrong.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(holds bool, format string, values ...any) {
	if !holds {
		panic(fmt.Errorf(format, values...))
	}
}

func (w *world) signed(key *ecdsa.PrivateKey, data types.TxData) *types.Transaction {
	return must(types.SignNewTx(key, types.LatestSignerForChainID(w.chain), data))
}

func (w *world) nonce(key *ecdsa.PrivateKey) uint64 {
	return must(w.client.PendingNonceAt(w.context, crypto.PubkeyToAddress(key.PublicKey)))
}

// sent gives the receipt of a transaction that succeeded.
func (w *world) sent(tx *types.Transaction) *types.Receipt {
	if err := w.client.SendTransaction(w.context, tx); err != nil {
		panic(err)
	}
	receipt := must(bind.WaitMined(w.context, w.client, tx.Hash()))
	check(receipt.Status == types.ReceiptStatusSuccessful, "status %d", receipt.Status)
	return receipt
}

func (w *world) transactor() *bind.TransactOpts {
	options := bind.NewKeyedTransactor(w.rich, w.chain)
	options.Context = w.context
	return options
}

// notebook is a new one.
func (w *world) notebook() (*bind.BoundContract, common.Address) {
	address, tx, err := bind.DeployContract(w.transactor(), w.creation, w.client, nil)
	if err != nil {
		panic(err)
	}
	check(must(bind.WaitDeployed(w.context, w.client, tx.Hash())) == address, "deployed elsewhere")
	return bind.NewBoundContract(address, w.abi, w.client, w.client, w.client), address
}

func (w *world) set(book *bind.BoundContract, value int64) *types.Receipt {
	tx := must(book.Transact(w.transactor(), "set", big.NewInt(value)))
	return must(bind.WaitMined(w.context, w.client, tx.Hash()))
}

func (w *world) setData(value int64) []byte {
	return must(w.abi.Pack("set", big.NewInt(value)))
}

// sameBlock reads a block whole, by hash and by number; both check the roots of what they read.
func (w *world) sameBlock(receipt *types.Receipt) *types.Block {
	block := must(w.client.BlockByHash(w.context, receipt.BlockHash))
	check(block.Hash() == receipt.BlockHash, "the header's hash is %v, not %v", block.Hash(), receipt.BlockHash)
	check(must(w.client.BlockByNumber(w.context, receipt.BlockNumber)).Hash() == block.Hash(), "by number another")
	return block
}

func network(w *world) {
	check(w.chain.Int64() == 31337, "chain %v", w.chain)
	check(must(w.client.NetworkID(w.context)).Int64() == 31337, "network")
	balance := must(w.client.BalanceAt(w.context, crypto.PubkeyToAddress(w.rich.PublicKey), nil))
	check(balance.Cmp(ether) > 0, "balance %v", balance)
	check(must(w.client.BlockByNumber(w.context, big.NewInt(0))).NumberU64() == 0, "genesis")
	check(must(w.client.SyncProgress(w.context)) == nil, "it syncs")
}

func legacy(w *world) {
	gas := must(w.client.SuggestGasPrice(w.context))
	receipt := w.sent(w.signed(w.rich, &types.LegacyTx{Nonce: w.nonce(w.rich), To: &receiver, Value: ether, Gas: 21000, GasPrice: gas}))
	check(receipt.GasUsed == 21000 && receipt.Type == types.LegacyTxType, "receipt %+v", receipt)
	check(len(w.sameBlock(receipt).Transactions()) == 1, "transactions")
}

func dynamicFee(w *world) {
	tip := must(w.client.SuggestGasTipCap(w.context))
	head := must(w.client.HeaderByNumber(w.context, nil))
	most := new(big.Int).Add(tip, new(big.Int).Mul(head.BaseFee, big.NewInt(2)))
	tx := w.signed(w.rich, &types.DynamicFeeTx{ChainID: w.chain, Nonce: w.nonce(w.rich), To: &receiver, Value: ether, Gas: 21000,
		GasTipCap: tip, GasFeeCap: most})
	receipt := w.sent(tx)
	found, isPending, err := w.client.TransactionByHash(w.context, tx.Hash())
	check(err == nil && !isPending && found.Hash() == tx.Hash(), "found %v %v %v", found, isPending, err)
	sender := must(w.client.TransactionSender(w.context, found, receipt.BlockHash, receipt.TransactionIndex))
	check(sender == crypto.PubkeyToAddress(w.rich.PublicKey), "sender %v", sender)
}

func sendSync(w *world) {
	tx := w.signed(w.rich, &types.DynamicFeeTx{ChainID: w.chain, Nonce: w.nonce(w.rich), To: &receiver, Gas: 21000,
		GasTipCap: gwei, GasFeeCap: new(big.Int).Mul(gwei, big.NewInt(10))})
	wait := 5 * time.Second
	receipt := must(w.client.SendTransactionSync(w.context, tx, &wait))
	check(receipt.TxHash == tx.Hash() && receipt.Status == 1, "receipt %+v", receipt)
}

func setCode(w *world) {
	owner := must(crypto.GenerateKey())
	_, address := w.notebook()
	authorization := must(types.SignSetCode(owner, types.SetCodeAuthorization{ChainID: *uint256.MustFromBig(w.chain), Address: address}))
	tx := w.signed(w.rich, &types.SetCodeTx{ChainID: uint256.MustFromBig(w.chain), Nonce: w.nonce(w.rich), To: receiver, Gas: 200000,
		GasTipCap: uint256.MustFromBig(gwei), GasFeeCap: uint256.MustFromBig(new(big.Int).Mul(gwei, big.NewInt(10))),
		AuthList: []types.SetCodeAuthorization{authorization}})
	w.sameBlock(w.sent(tx))
	code := must(w.client.CodeAt(w.context, crypto.PubkeyToAddress(owner.PublicKey), nil))
	check(string(code) == string(types.AddressToDelegation(address)), "code %x", code)
}

func contract(w *world) {
	book, address := w.notebook()
	receipt := w.set(book, 42)
	var values []any
	if err := book.Call(&bind.CallOpts{Context: w.context}, &values, "get"); err != nil {
		panic(err)
	}
	check(values[0].(*big.Int).Int64() == 42, "value %v", values)
	logs := must(w.client.FilterLogs(w.context, ethereum.FilterQuery{BlockHash: &receipt.BlockHash, Addresses: []common.Address{address}}))
	check(len(logs) == 1 && logs[0].TxHash == receipt.TxHash && logs[0].Topics[0] == w.abi.Events["Noted"].ID, "logs %+v", logs)
	check(logs[0].BlockTimestamp == must(w.client.HeaderByHash(w.context, receipt.BlockHash)).Time, "time of a log")
	receipts := must(w.client.BlockReceipts(w.context, rpc.BlockNumberOrHashWithHash(receipt.BlockHash, false)))
	check(len(receipts) == 1 && receipts[0].TxHash == receipt.TxHash, "receipts of the block")
	check(types.CreateBloom(receipts[0]) == receipts[0].Bloom, "bloom")
	slot := must(w.client.StorageAt(w.context, address, common.Hash{}, nil))
	check(new(big.Int).SetBytes(slot).Int64() == 42, "slot %x", slot)
}

func reverts(w *world) {
	_, address := w.notebook()
	call := ethereum.CallMsg{To: &address, Data: w.setData(0)}
	_, err := w.client.CallContract(w.context, call, nil)
	data, has := ethclient.RevertErrorData(err)
	check(has && must(abi.UnpackRevert(data)) == "zero", "%v, data %x", err, data)
	_, err = w.client.EstimateGas(w.context, call)
	check(err != nil && err.Error() == "execution reverted: zero", "%v", err)
}

func fees(w *world) {
	_, address := w.notebook()
	gas := must(w.client.EstimateGas(w.context, ethereum.CallMsg{To: &address, Data: w.setData(7)}))
	check(gas > 40000 && gas < 60000, "estimate %d", gas)
	history := must(w.client.FeeHistory(w.context, 2, nil, []float64{10, 90}))
	check(len(history.BaseFee) == 3 && len(history.Reward) == 2 && len(history.GasUsedRatio) == 2, "history %+v", history)
	check(must(w.client.BlobBaseFee(w.context)).Sign() > 0, "fee of blobs")
}

func subscriptions(w *world) {
	book, address := w.notebook()
	heads, logs, hashes := make(chan *types.Header, 9), make(chan types.Log, 9), make(chan common.Hash, 9)
	query := ethereum.FilterQuery{Addresses: []common.Address{address}}
	first := must(w.socket.SubscribeNewHead(w.context, heads))
	second := must(w.socket.SubscribeFilterLogs(w.context, query, logs))
	third := must(w.socket.Client().EthSubscribe(w.context, hashes, "newPendingTransactions"))
	receipt := w.set(book, 9)
	for waiting := 3; waiting > 0; waiting-- {
		select {
		case head := <-heads:
			check(head.Hash() == receipt.BlockHash, "head %v", head.Hash())
		case heard := <-logs:
			check(heard.TxHash == receipt.TxHash && heard.BlockHash == receipt.BlockHash, "log %+v", heard)
		case hash := <-hashes:
			check(hash == receipt.TxHash, "pending %v", hash)
		case <-w.context.Done():
			panic(w.context.Err())
		}
	}
	for _, one := range []ethereum.Subscription{first, second, third} {
		one.Unsubscribe()
	}
}

// impersonated transactions have a signature that belongs to nobody; they and their blocks decode all the same.
func impersonated(w *world) {
	nobody := common.HexToAddress("0x00000000000000000000000000000000000b0b00")
	raw := w.client.Client()
	for _, call := range [][]any{{"anvil_setBalance", nobody, (*hexutil.Big)(ether)}, {"anvil_impersonateAccount", nobody}} {
		if err := raw.CallContext(w.context, nil, call[0].(string), call[1:]...); err != nil {
			panic(err)
		}
	}
	for _, fees := range []map[string]any{{"gasPrice": "0x2540be400"}, {"maxFeePerGas": "0x2540be400", "maxPriorityFeePerGas": "0x1"},
		{"gasPrice": "0x2540be400", "accessList": []any{}}} {
		fees["from"], fees["to"], fees["value"], fees["gas"] = nobody, receiver, "0x1", "0x10000"
		var hash common.Hash
		if err := raw.CallContext(w.context, &hash, "eth_sendTransaction", fees); err != nil {
			panic(err)
		}
		receipt := must(bind.WaitMined(w.context, w.client, hash))
		block := w.sameBlock(receipt)
		found, _, err := w.client.TransactionByHash(w.context, hash)
		check(err == nil && found.Hash() == hash, "%v: %v", fees, err)
		check(block.Transactions()[0].Hash() == hash, "in its block another hash")
		check(types.DeriveSha(block.Transactions(), trie.NewStackTrie(nil)) == block.TxHash(), "the root of the block's transactions")
		sender := must(w.client.TransactionSender(w.context, found, receipt.BlockHash, 0))
		check(sender == nobody, "sender %v", sender)
		in := must(w.client.TransactionInBlock(w.context, receipt.BlockHash, 0))
		check(in.Hash() == hash, "by place another")
	}
}

func pending(w *world) {
	head := must(w.client.BlockNumber(w.context))
	block := must(w.client.BlockByNumber(w.context, big.NewInt(int64(rpc.PendingBlockNumber))))
	check(block.NumberU64() == head+1, "pending %d after %d", block.NumberU64(), head)
	check(must(w.client.PendingTransactionCount(w.context)) == 0, "pending transactions")
	_ = must(w.client.PendingBalanceAt(w.context, receiver))
	for _, tag := range []rpc.BlockNumber{rpc.SafeBlockNumber, rpc.FinalizedBlockNumber, rpc.EarliestBlockNumber} {
		_ = must(w.client.HeaderByNumber(w.context, big.NewInt(int64(tag))))
	}
	_, err := w.client.TransactionReceipt(w.context, common.HexToHash("0x01"))
	check(err == ethereum.NotFound, "a receipt of nothing: %v", err)
	_, err = w.client.BlockByNumber(w.context, big.NewInt(1<<40))
	check(err == ethereum.NotFound, "a block of the future: %v", err)
}

func simulate(w *world) {
	book, address := w.notebook()
	w.set(book, 5)
	blocks := must(w.client.SimulateV1(w.context, ethclient.SimulateOptions{ReturnFullTransactions: true, TraceTransfers: true,
		BlockStateCalls: []ethclient.SimulateBlock{{
			StateOverrides: map[common.Address]ethereum.OverrideAccount{receiver: {Balance: ether}},
			Calls: []ethereum.CallMsg{{From: receiver, To: &address, Data: w.setData(8)},
				{From: receiver, To: &address, Data: must(w.abi.Pack("get"))}, {From: receiver, To: &address, Data: w.setData(0)}},
		}}}, nil))
	calls := blocks[0].Calls
	check(len(calls) == 3 && calls[0].Status == 1 && len(calls[0].Logs) == 1, "calls %+v", calls)
	check(new(big.Int).SetBytes(calls[1].ReturnValue).Int64() == 8, "returned %x", calls[1].ReturnValue)
	check(calls[2].Status == 0 && calls[2].Error != nil, "a revert %+v", calls[2])
	check(strings.HasPrefix(calls[2].Error.Message, "execution reverted"), "why %v", calls[2].Error)
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 2 && os.Args[2] == "restarted" {
		restarted(os.Args[1])
		return
	}
	var book struct {
		Abi      json.RawMessage
		Creation hexutil.Bytes
	}
	if err := json.NewDecoder(os.Stdin).Decode(&book); err != nil {
		log.Fatal(err)
	}
	w := &world{client: must(ethclient.Dial(os.Args[1])), creation: book.Creation, context: context.Background()}
	w.socket = must(ethclient.Dial("ws" + strings.TrimPrefix(os.Args[1], "http")))
	w.abi = must(abi.JSON(strings.NewReader(string(book.Abi))))
	w.rich = must(crypto.HexToECDSA("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"))
	w.chain = must(w.client.ChainID(w.context))
	answers := map[string]string{}
	for name, scenario := range map[string]func(*world){"network": network, "legacy": legacy, "dynamicFee": dynamicFee,
		"sendSync": sendSync, "setCode": setCode, "contract": contract, "reverts": reverts, "fees": fees,
		"subscriptions": subscriptions, "impersonated": impersonated, "pending": pending, "simulate": simulate} {
		answers[name] = w.try(scenario)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func (w *world) try(scenario func(*world)) (answer string) {
	defer func() {
		if failure := recover(); failure != nil {
			answer = fmt.Sprint(failure)
		}
	}()
	bounded, cancel := context.WithTimeout(w.context, patience)
	defer cancel()
	one := *w
	one.context = bounded
	scenario(&one)
	return "ok"
}
