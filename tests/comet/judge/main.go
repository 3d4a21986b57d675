// Command judge makes light blocks, honest and not, and prints what CometBFT's own light client says of each:
// tests/vectors/comet.json. tests/README.md says how it is run.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	"github.com/cometbft/cometbft/light/store/db"
	coretypes "github.com/cometbft/cometbft/rpc/core/types"
	"github.com/cometbft/cometbft/types"
)

const (
	trust = 14 * 24 * time.Hour
	ahead = time.Minute
)

type moment struct {
	S  int64 `json:"s"`
	NS int   `json:"ns"`
}

type vector struct {
	Name    string `json:"name"`
	Trusted int    `json:"trusted"`
	Block   int    `json:"block"`
	Now     moment `json:"now"`
	Verdict string `json:"verdict"`
	Why     string `json:"why,omitempty"`
}

type walk struct {
	Name    string `json:"name"`
	Blocks  []int  `json:"blocks"` // of the heights from 1 on
	From    int64  `json:"from"`
	To      int64  `json:"to"`
	Verdict string `json:"verdict"`
	Why     string `json:"why,omitempty"`
}

type points struct {
	Message   string   `json:"message"`
	Encodings []string `json:"encodings"`
	Valid     []string `json:"valid"` // a row for each key, a digit for each R, with s = 0
}

// What CometBFT's RPC answers of a block.
type answer struct {
	Block      int             `json:"block"`
	Commit     json.RawMessage `json:"commit"`
	Validators json.RawMessage `json:"validators"`
}

type file struct {
	Chain      string   `json:"chain"`
	TrustS     int64    `json:"trustS"`
	AheadS     int64    `json:"aheadS"`
	Blocks     []string `json:"blocks"`
	Vectors    []vector `json:"vectors"`
	Walks      []walk   `json:"walks"`
	Answers    []answer `json:"answers"`
	Signatures points   `json:"signatures"`
	places     map[string]int
}

func (f *file) place(bytes []byte) int {
	text := hex.EncodeToString(bytes)
	if at, has := f.places[text]; has {
		return at
	}
	f.places[text] = len(f.Blocks)
	f.Blocks = append(f.Blocks, "0x"+text)
	return len(f.Blocks) - 1
}

func encode(block *types.LightBlock) []byte {
	message, err := block.ToProto()
	check(err)
	bytes, err := message.Marshal()
	check(err)
	return bytes
}

func decode(bytes []byte) (*types.LightBlock, error) {
	message := new(cmtproto.LightBlock)
	if err := message.Unmarshal(bytes); err != nil {
		return nil, err
	}
	block, err := types.LightBlockFromProto(message)
	if err != nil {
		return nil, err
	}
	return block, block.ValidateBasic(chainID)
}

// The judge: what CometBFT's light client says of these bytes.
func judge(trusted *types.LightBlock, bytes []byte, now time.Time) (string, string) {
	block, err := decode(bytes)
	if err == nil {
		err = light.Verify(trusted.SignedHeader, trusted.ValidatorSet, block.SignedHeader, block.ValidatorSet,
			trust, now, ahead, light.DefaultTrustLevel)
	}
	var tooFar light.ErrNewValSetCantBeTrusted
	switch {
	case err == nil:
		return "believed", ""
	case errors.As(err, &tooFar):
		return "too far", err.Error()
	}
	return "refused", err.Error()
}

func (f *file) add(name string, trusted *types.LightBlock, bytes []byte, now time.Time) {
	verdict, why := judge(trusted, bytes, now)
	f.Vectors = append(f.Vectors, vector{Name: name, Trusted: f.place(encode(trusted)), Block: f.place(bytes),
		Now: moment{now.Unix(), now.Nanosecond()}, Verdict: verdict, Why: why})
}

// --- walks: the whole light client over a chain ---

type memory struct{ blocks []*types.LightBlock }

func (m memory) ChainID() string { return chainID }

func (m memory) LightBlock(_ context.Context, height int64) (*types.LightBlock, error) {
	if height == 0 {
		height = int64(len(m.blocks))
	}
	if height > int64(len(m.blocks)) {
		return nil, provider.ErrHeightTooHigh
	}
	return m.blocks[height-1], nil
}

func (m memory) ReportEvidence(context.Context, types.Evidence) error { return nil }

func (f *file) walk(name string, blocks []*types.LightBlock, from, to int64) {
	source := memory{blocks}
	now := blocks[to-1].Time.Add(time.Second)
	client, err := light.NewClient(context.Background(), chainID,
		light.TrustOptions{Period: trust, Height: from, Hash: blocks[from-1].Hash()}, source,
		[]provider.Provider{source}, db.New(dbm.NewMemDB(), chainID), light.MaxClockDrift(ahead))
	check(err)
	out := walk{Name: name, From: from, To: to, Verdict: "believed"}
	if _, err = client.VerifyLightBlockAtHeight(context.Background(), to, now); err != nil {
		out.Verdict, out.Why = "refused", err.Error()
	}
	for _, block := range blocks {
		out.Blocks = append(out.Blocks, f.place(encode(block)))
	}
	f.Walks = append(f.Walks, out)
}

func (f *file) answer(block *types.LightBlock) {
	set := block.ValidatorSet.Validators
	commit, err := cmtjson.Marshal(coretypes.NewResultCommit(block.Header, block.Commit, true))
	check(err)
	validators, err := cmtjson.Marshal(&coretypes.ResultValidators{
		BlockHeight: block.Height, Validators: set, Count: len(set), Total: len(set)})
	check(err)
	f.Answers = append(f.Answers, answer{f.place(encode(block)), commit, validators})
}

// --- encodings of points of small order, and which signatures of them count ---

func (f *file) addSignatures() {
	encodings := []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0200000000000000000000000000000000000000000000000000000000000000", // no point
	}
	message := "Zcash"
	out := points{Message: message, Encodings: encodings}
	for _, key := range encodings {
		row := ""
		for _, nonce := range encodings {
			keyBytes, err := hex.DecodeString(key)
			check(err)
			signature, err := hex.DecodeString(nonce)
			check(err)
			signature = append(signature, make([]byte, 32)...)
			if ed25519.PubKey(keyBytes).VerifySignature([]byte(message), signature) {
				row += "1"
			} else {
				row += "0"
			}
		}
		out.Valid = append(out.Valid, row)
	}
	f.Signatures = out
}

func main() {
	f := &file{Chain: chainID, TrustS: int64(trust / time.Second), AheadS: int64(ahead / time.Second),
		places: map[string]int{}}
	f.addHonest()
	f.addFaults()
	f.addForms()
	f.addWalks()
	f.addAnswers()
	f.addSignatures()
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	check(out.Encode(f))
}
