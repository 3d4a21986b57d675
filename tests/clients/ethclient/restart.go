package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

// restarted keeps filters and a subscription of a node that is restarted in the middle: it writes "ready", waits for a
// line while the node ends and comes again on the same port, writes "listening", and waits for a block.
func restarted(url string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	http := must(rpc.DialContext(ctx, url))
	socket := must(ethclient.DialContext(ctx, "ws"+strings.TrimPrefix(url, "http")))
	var logs, blocks string
	_ = must(0, http.CallContext(ctx, &logs, "eth_newFilter", map[string]any{}))
	_ = must(0, http.CallContext(ctx, &blocks, "eth_newBlockFilter"))
	heads := make(chan *types.Header, 9)
	old := must(socket.SubscribeNewHead(ctx, heads))
	fmt.Println("ready")
	_ = must(bufio.NewReader(os.Stdin).ReadString('\n'))
	w := &world{context: ctx}
	answers := map[string]string{
		"filters": w.try(func(*world) {
			for _, id := range []string{logs, blocks} {
				var changes any
				err := http.CallContext(ctx, &changes, "eth_getFilterChanges", id)
				check(err != nil && err.Error() == "filter not found", "changes of a filter that went: %v, %v", changes, err)
				var is bool
				_ = must(0, http.CallContext(ctx, &is, "eth_uninstallFilter", id))
				check(!is, "a filter that went was uninstalled")
			}
		}),
		"subscriptions": w.try(func(*world) {
			select {
			case err := <-old.Err():
				check(err != nil, "a subscription ended without a word")
			case <-time.After(patience):
				panic("a subscription did not end")
			}
			again := must(socket.SubscribeNewHead(ctx, heads))
			fmt.Println("listening")
			select {
			case head := <-heads:
				var number hexutil.Uint64
				_ = must(0, http.CallContext(ctx, &number, "eth_blockNumber"))
				check(head.Number.Uint64() == uint64(number), "head %v, not %d", head.Number, number)
			case <-time.After(patience):
				panic("no block")
			}
			again.Unsubscribe()
		}),
	}
	_ = must(0, json.NewEncoder(os.Stdout).Encode(answers))
}
