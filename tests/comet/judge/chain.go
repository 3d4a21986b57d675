package main

import (
	"crypto/sha256"
	"fmt"
	"sort"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"
)

const chainID = "xinglin-5f1d9c0a7be3448294fd1a6b2c83e07d91a4b6c2"

var start = time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.UTC)

// A member votes with a key that follows from its name, so that the vectors are the same each time.
type member struct {
	name  string
	power int64
}

func keyOf(name string) ed25519.PrivKey {
	return ed25519.GenPrivKeyFromSecret([]byte("xinglin judge " + name))
}

func members(names string, power int64) []member {
	var out []member
	for _, name := range names {
		out = append(out, member{string(name), power})
	}
	return out
}

func manyMembers(count int) []member {
	var out []member
	for i := 0; i < count; i++ {
		out = append(out, member{fmt.Sprintf("member %d", i), int64(1 + i%7)})
	}
	return out
}

func setOf(list []member) *types.ValidatorSet {
	var validators []*types.Validator
	for _, m := range list {
		validators = append(validators, types.NewValidator(keyOf(m.name).PubKey(), m.power))
	}
	return types.NewValidatorSet(validators)
}

// The set of exactly these validators in this order, which need not be one that CometBFT makes.
func rawSet(validators []*types.Validator) *types.ValidatorSet {
	return &types.ValidatorSet{Validators: validators, Proposer: validators[0]}
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// What a block is made of; zero values give an ordinary one.
type block struct {
	chain    string
	height   int64
	time     time.Time
	set      *types.ValidatorSet
	next     *types.ValidatorSet
	round    int32
	app      string
	signs    string                        // the chain's name in what is signed
	votes    func(i int) types.BlockIDFlag // of the validator at place i
	keys     []member                      // whose keys sign
	protocol uint64
	first    bool // has no block before it
}

func (b block) make() *types.LightBlock {
	if b.chain == "" {
		b.chain = chainID
	}
	if b.signs == "" {
		b.signs = b.chain
	}
	if b.next == nil {
		b.next = b.set
	}
	if b.time.IsZero() {
		b.time = timeOf(b.height)
	}
	if b.protocol == 0 {
		b.protocol = 11
	}
	header := &types.Header{
		Version: version.Consensus{Block: b.protocol}, ChainID: b.chain, Height: b.height, Time: b.time,
		LastBlockID: types.BlockID{Hash: hashOf(fmt.Sprint("block ", b.height-1)),
			PartSetHeader: types.PartSetHeader{Total: 1, Hash: hashOf(fmt.Sprint("parts ", b.height-1))}},
		LastCommitHash: hashOf("last commit"), DataHash: hashOf("data"), ValidatorsHash: b.set.Hash(),
		NextValidatorsHash: b.next.Hash(), ConsensusHash: hashOf("consensus"), AppHash: hashOf("app " + b.app),
		LastResultsHash: hashOf("results"), EvidenceHash: hashOf("evidence"),
		ProposerAddress: b.set.Validators[0].Address,
	}
	if b.first {
		header.LastBlockID = types.BlockID{}
	}
	out := &types.LightBlock{SignedHeader: &types.SignedHeader{Header: header}, ValidatorSet: b.set}
	b.commit(out)
	return out
}

func timeOf(height int64) time.Time {
	return start.Add(time.Duration(height) * time.Minute)
}

// Has its validators vote for the header as it is.
func (b block) commit(out *types.LightBlock) {
	commit := &types.Commit{Height: out.Height, Round: b.round, BlockID: types.BlockID{Hash: out.Header.Hash(),
		PartSetHeader: types.PartSetHeader{Total: 3, Hash: hashOf(fmt.Sprint("parts ", out.Height))}}}
	out.Commit = commit
	for i, validator := range out.ValidatorSet.Validators {
		flag := types.BlockIDFlagCommit
		if b.votes != nil {
			flag = b.votes(i)
		}
		if flag == types.BlockIDFlagAbsent {
			commit.Signatures = append(commit.Signatures, types.NewCommitSigAbsent())
			continue
		}
		commit.Signatures = append(commit.Signatures, types.CommitSig{BlockIDFlag: flag,
			ValidatorAddress: validator.Address, Timestamp: out.Time.Add(time.Duration(i) * time.Millisecond)})
	}
	b.sign(out)
}

// Signs every vote that is there with the keys of the members.
func (b block) sign(out *types.LightBlock) {
	keys := map[string]ed25519.PrivKey{}
	for _, m := range b.keys {
		keys[string(keyOf(m.name).PubKey().Address())] = keyOf(m.name)
	}
	for i := range out.Commit.Signatures {
		signature := &out.Commit.Signatures[i]
		key, has := keys[string(signature.ValidatorAddress)]
		if signature.BlockIDFlag == types.BlockIDFlagAbsent || !has {
			continue
		}
		signed, err := key.Sign(out.Commit.VoteSignBytes(b.signs, int32(i)))
		check(err)
		signature.Signature = signed
	}
}

func only(places ...int) func(int) types.BlockIDFlag {
	return votes(types.BlockIDFlagAbsent, places...)
}

func votes(others types.BlockIDFlag, places ...int) func(int) types.BlockIDFlag {
	return func(i int) types.BlockIDFlag {
		for _, place := range places {
			if place == i {
				return types.BlockIDFlagCommit
			}
		}
		return others
	}
}

func addressOrder(set []*types.Validator) []*types.Validator {
	out := append([]*types.Validator{}, set...)
	sort.Slice(out, func(i, j int) bool { return string(out[i].Address) > string(out[j].Address) })
	return out
}

// The neutral point as a key, under which a signature of the neutral point and 0 is valid for every message.
func neutral(sign byte) ed25519.PubKey {
	key := make([]byte, 32)
	key[0], key[31] = 1, sign
	return key
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
