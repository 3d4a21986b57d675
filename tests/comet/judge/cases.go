package main

import (
	"fmt"
	"math"
	"time"

	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/cometbft/cometbft/crypto/secp256k1"
	"github.com/cometbft/cometbft/types"
)

func soon(block *types.LightBlock) time.Time { return block.Time.Add(time.Second) }

func (f *file) addBlock(name string, trusted, block *types.LightBlock) {
	f.add(name, trusted, encode(block), soon(block))
}

// Four members at height 5, who are trusted.
func four() ([]member, *types.ValidatorSet, *types.LightBlock) {
	list := members("abcd", 1)
	set := setOf(list)
	return list, set, block{height: 5, set: set, keys: list}.make()
}

func (f *file) addHonest() {
	list, set, trusted := four()
	all := members("abcdefgh", 1)
	f.addBlock("the next height", trusted, block{height: 6, set: set, keys: list}.make())
	f.addBlock("a later height", trusted, block{height: 60, set: set, keys: list}.make())
	f.addBlock("three of four voted", trusted, block{height: 9, set: set, keys: list, votes: only(0, 2, 3)}.make())
	f.addBlock("one voted for none", trusted,
		block{height: 9, set: set, keys: list, votes: votes(types.BlockIDFlagNil, 0, 1, 3)}.make())
	f.addBlock("a later round", trusted, block{height: 9, set: set, keys: list, round: 7}.make())
	f.addBlock("another app hash", trusted, block{height: 9, set: set, keys: list, app: "other"}.make())
	whole := block{height: 9, set: set, keys: list, time: start.Add(9 * time.Hour).Truncate(time.Second)}
	f.addBlock("a time without nanoseconds", trusted, whole.make())
	named := block{height: 5, set: set, next: setOf(all[2:6]), keys: list}.make()
	f.addBlock("the next height, with the validators that were named", named,
		block{height: 6, set: setOf(all[2:6]), keys: all}.make())
	f.addBlock("a later height, with half of the validators", trusted,
		block{height: 9, set: setOf(all[2:6]), keys: all}.make())
	grown := setOf(all)
	f.addBlock("a later height, with twice the validators", trusted,
		block{height: 9, set: grown, keys: all}.make())
	first := block{height: 1, set: set, keys: list, first: true}.make()
	f.addBlock("from the first block", first, block{height: 2, set: set, keys: list}.make())
	alone := members("a", 10)
	f.addBlock("one validator", block{height: 5, set: setOf(alone), keys: alone}.make(),
		block{height: 9, set: setOf(alone), keys: alone}.make())
	for _, count := range []int{7, 20, 100} {
		many := manyMembers(count)
		f.addBlock(fmt.Sprint(count, " validators"), block{height: 5, set: setOf(many), keys: many}.make(),
			block{height: 9, set: setOf(many), keys: many}.make())
	}
	strong := []member{{"a", types.MaxTotalVotingPower - 3}, {"b", 1}, {"c", 1}, {"d", 1}}
	f.addBlock("all the power there may be", block{height: 5, set: setOf(strong), keys: strong}.make(),
		block{height: 9, set: setOf(strong), keys: strong}.make())
	f.addBlock("the greatest height", trusted, block{height: math.MaxInt64, set: set, keys: list,
		time: timeOf(9)}.make())
	odd := append([]*types.Validator{types.NewValidator(neutral(0), 1)}, set.Validators[:3]...)
	oddSet := types.NewValidatorSet(odd)
	oddBlock := block{height: 9, set: oddSet, keys: list}.make()
	for i := range oddBlock.Commit.Signatures {
		if len(oddBlock.Commit.Signatures[i].Signature) == 0 {
			oddBlock.Commit.Signatures[i].Signature = append([]byte(neutral(0x80)), make([]byte, 32)...)
		}
	}
	f.addBlock("a signature that only ZIP 215 takes", trusted, oddBlock)
}

func (f *file) addFaults() {
	list, set, trusted := four()
	honest := block{height: 9, set: set, keys: list}
	of := honest.make()
	all := members("abcdefgh", 1)
	// time
	f.add("the trusting period is over", trusted, encode(of), trusted.Time.Add(trust))
	f.add("the trusting period is nearly over", trusted, encode(of), trusted.Time.Add(trust-1))
	f.add("its time is as far ahead as is refused", trusted, encode(of), of.Time.Add(-ahead))
	f.add("its time is nearly too far ahead", trusted, encode(of), of.Time.Add(-ahead+1))
	f.addBlock("its time is the trusted one", trusted,
		block{height: 9, set: set, keys: list, time: trusted.Time}.make())
	f.addBlock("its time is earlier", trusted, block{height: 9, set: set, keys: list, time: start}.make())
	// height and chain
	f.addBlock("the same height", trusted, block{height: 5, set: set, keys: list, time: timeOf(9)}.make())
	f.addBlock("a lower height", trusted, block{height: 4, set: set, keys: list, time: timeOf(9)}.make())
	other := "xinglin-ffffffffffffffffffffffffffffffffffffffff"
	f.addBlock("another chain", trusted, block{height: 9, set: set, keys: list, chain: other}.make())
	f.addBlock("signed for another chain", trusted, block{height: 9, set: set, keys: list, signs: other}.make())
	// too few
	three := members("abc", 1)
	f.addBlock("exactly two thirds voted", block{height: 5, set: setOf(three), keys: three}.make(),
		block{height: 9, set: setOf(three), keys: three, votes: only(0, 1)}.make())
	f.addBlock("half voted", trusted, block{height: 9, set: set, keys: list, votes: only(1, 2)}.make())
	f.addBlock("half voted, at the next height", trusted,
		block{height: 6, set: set, keys: list, votes: only(1, 2)}.make())
	f.addBlock("half voted for none", trusted,
		block{height: 9, set: set, keys: list, votes: votes(types.BlockIDFlagNil, 0, 1)}.make())
	f.addBlock("all voted for none", trusted,
		block{height: 9, set: set, keys: list, votes: votes(types.BlockIDFlagNil)}.make())
	f.addBlock("nobody voted", trusted, block{height: 9, set: set, keys: list, votes: only()}.make())
	// validators
	f.addBlock("one of the trusted four is there", trusted, block{height: 9, set: setOf(all[3:7]), keys: all}.make())
	f.addBlock("none of the trusted is there", trusted, block{height: 9, set: setOf(all[4:8]), keys: all}.make())
	f.addBlock("exactly a third of the trusted voted", block{height: 5, set: setOf(three), keys: three}.make(),
		block{height: 9, set: setOf(append(members("a", 1), all[4:5]...)), keys: all}.make())
	f.addBlock("the next height, with validators that were not named", trusted,
		block{height: 6, set: setOf(all[1:5]), keys: all}.make())
	named := block{height: 5, set: set, next: setOf(all[4:8]), keys: list}.make()
	f.addBlock("the next height, with those who left", named, block{height: 6, set: set, keys: list}.make())
	doubled := append([]*types.Validator{set.Validators[0], set.Validators[0]}, set.Validators[0])
	f.addBlock("one validator three times", trusted, block{height: 9, set: rawSet(doubled), keys: list}.make())
	f.addBlock("validators in another order", trusted,
		block{height: 9, set: rawSet(addressOrder(set.Validators)), keys: list}.make())
	idle := append(append([]*types.Validator{}, set.Validators...), types.NewValidator(keyOf("e").PubKey(), 0))
	f.addBlock("a validator without power", trusted, block{height: 9, set: rawSet(idle), keys: all}.make())
	// signatures
	f.change("the first signature is another one", trusted, honest, func(b *types.LightBlock) {
		b.Commit.Signatures[0].Signature[3] ^= 1
	})
	f.change("a signature that is not needed is wrong", trusted, honest, func(b *types.LightBlock) {
		b.Commit.Signatures[3].Signature[3] ^= 1
	})
	f.change("two signatures are swapped", trusted, honest, func(b *types.LightBlock) {
		s := b.Commit.Signatures
		s[0].Signature, s[1].Signature = s[1].Signature, s[0].Signature
	})
	f.change("two votes are swapped", trusted, honest, func(b *types.LightBlock) {
		s := b.Commit.Signatures
		s[0], s[1] = s[1], s[0]
	})
	f.change("one vote stands at every place", trusted, honest, func(b *types.LightBlock) {
		for i := range b.Commit.Signatures {
			b.Commit.Signatures[i] = b.Commit.Signatures[0]
		}
	})
	f.change("the time of a vote is another", trusted, honest, func(b *types.LightBlock) {
		b.Commit.Signatures[0].Timestamp = b.Commit.Signatures[0].Timestamp.Add(1)
	})
	f.change("the round is another", trusted, honest, func(b *types.LightBlock) { b.Commit.Round++ })
	f.change("the parts are others", trusted, honest, func(b *types.LightBlock) {
		b.Commit.BlockID.PartSetHeader.Total++
	})
	f.change("votes for none as votes for the block", trusted,
		block{height: 9, set: set, keys: list, votes: votes(types.BlockIDFlagNil, 0, 1)}, func(b *types.LightBlock) {
			for i := range b.Commit.Signatures {
				b.Commit.Signatures[i].BlockIDFlag = types.BlockIDFlagCommit
			}
		})
	f.change("the app hash is another", trusted, honest, func(b *types.LightBlock) { b.AppHash[0] ^= 1 })
	f.change("another header under the votes", trusted, honest, func(b *types.LightBlock) {
		b.AppHash[0] ^= 1
		b.Commit.BlockID.Hash = b.Header.Hash()
	})
	f.change("the commit of another height", trusted, honest, func(b *types.LightBlock) { b.Commit.Height++ })
	f.change("validators of another header", trusted, honest, func(b *types.LightBlock) {
		b.ValidatorSet = setOf(all[:5])
	})
	f.change("a vote too few", trusted, honest, func(b *types.LightBlock) {
		b.Commit.Signatures = b.Commit.Signatures[:3]
	})
	f.change("a vote too many", trusted, honest, func(b *types.LightBlock) {
		b.Commit.Signatures = append(b.Commit.Signatures, types.NewCommitSigAbsent())
	})
	f.addBlock("a header of another protocol", trusted, block{height: 9, set: set, keys: list, protocol: 10}.make())
}

func (f *file) change(name string, trusted *types.LightBlock, made block, change func(*types.LightBlock)) {
	of := made.make()
	change(of)
	f.addBlock(name, trusted, of)
}

// Faults of form, in the message itself.
func (f *file) form(name string, change func(*cmtproto.LightBlock)) {
	list, set, trusted := four()
	of := block{height: 9, set: set, keys: list}.make()
	message := new(cmtproto.LightBlock) // a copy: what is changed belongs to nobody else
	check(message.Unmarshal(encode(of)))
	change(message)
	bytes, err := message.Marshal()
	check(err)
	f.add(name, trusted, bytes, soon(of))
}

func (f *file) addForms() {
	vote := func(b *cmtproto.LightBlock) *cmtproto.CommitSig { return &b.SignedHeader.Commit.Signatures[0] }
	f.form("nothing is wrong", func(*cmtproto.LightBlock) {})
	f.form("no header", func(b *cmtproto.LightBlock) { b.SignedHeader.Header = nil })
	f.form("no commit", func(b *cmtproto.LightBlock) { b.SignedHeader.Commit = nil })
	f.form("no signed header", func(b *cmtproto.LightBlock) { b.SignedHeader = nil })
	f.form("no validators", func(b *cmtproto.LightBlock) { b.ValidatorSet.Validators = nil })
	f.form("a negative height", func(b *cmtproto.LightBlock) { b.SignedHeader.Header.Height = -9 })
	f.form("a negative height of the commit", func(b *cmtproto.LightBlock) { b.SignedHeader.Commit.Height = -9 })
	f.form("a negative round", func(b *cmtproto.LightBlock) { b.SignedHeader.Commit.Round = -1 })
	f.form("a negative power", func(b *cmtproto.LightBlock) { b.ValidatorSet.Validators[0].VotingPower = -1 })
	f.form("powers that overflow", func(b *cmtproto.LightBlock) {
		for _, validator := range b.ValidatorSet.Validators {
			validator.VotingPower = math.MaxInt64 / 2
		}
	})
	f.form("a power that is too large", func(b *cmtproto.LightBlock) {
		b.ValidatorSet.Validators[0].VotingPower = types.MaxTotalVotingPower
	})
	f.form("a power that is another", func(b *cmtproto.LightBlock) { b.ValidatorSet.Validators[0].VotingPower = 2 })
	f.form("an address of another key", func(b *cmtproto.LightBlock) { b.ValidatorSet.Validators[0].Address[0] ^= 1 })
	f.form("a validator with a key of another kind", func(b *cmtproto.LightBlock) {
		key := secp256k1.GenPrivKeySecp256k1([]byte("judge")).PubKey()
		b.ValidatorSet.Validators[0].Address = key.Address()
		b.ValidatorSet.Validators[0].PubKey = cmtcrypto.PublicKey{
			Sum: &cmtcrypto.PublicKey_Secp256K1{Secp256K1: key.Bytes()}}
	})
	f.form("a validator without a key", func(b *cmtproto.LightBlock) {
		b.ValidatorSet.Validators[0].PubKey = cmtcrypto.PublicKey{}
	})
	f.form("a vote of no known kind", func(b *cmtproto.LightBlock) { vote(b).BlockIdFlag = 4 })
	f.form("a vote of kind 0", func(b *cmtproto.LightBlock) { vote(b).BlockIdFlag = 0 })
	f.form("an absent vote with a signature", func(b *cmtproto.LightBlock) { vote(b).BlockIdFlag = 1 })
	f.form("a vote without a signature", func(b *cmtproto.LightBlock) { vote(b).Signature = nil })
	f.form("a signature of 63 bytes", func(b *cmtproto.LightBlock) { vote(b).Signature = vote(b).Signature[:63] })
	f.form("an address of 19 bytes", func(b *cmtproto.LightBlock) {
		vote(b).ValidatorAddress = vote(b).ValidatorAddress[:19]
	})
	f.form("a hash of 31 bytes", func(b *cmtproto.LightBlock) {
		b.SignedHeader.Header.DataHash = b.SignedHeader.Header.DataHash[:31]
	})
	f.form("a commit for no block", func(b *cmtproto.LightBlock) {
		b.SignedHeader.Commit.BlockID = cmtproto.BlockID{}
	})
	f.form("a chain's name of 51 characters", func(b *cmtproto.LightBlock) {
		b.SignedHeader.Header.ChainID += "000"
	})
	f.form("no proposer in the header", func(b *cmtproto.LightBlock) { b.SignedHeader.Header.ProposerAddress = nil })
	f.form("no validators' hash", func(b *cmtproto.LightBlock) { b.SignedHeader.Header.ValidatorsHash = nil })
}

// A chain whose members change one or two at a time, until none of the first is left.
func changing(heights int, at func(height int) []member) []*types.LightBlock {
	var out []*types.LightBlock
	all := members("abcdefghijklmnopqrstuvwxyz", 1)
	for height := 1; height <= heights; height++ {
		out = append(out, block{height: int64(height), set: setOf(at(height)), next: setOf(at(height + 1)), keys: all,
			first: height == 1}.make())
	}
	return out
}

func (f *file) addWalks() {
	all := members("abcdefghijklmnopqrstuvwxyz", 1)
	same := changing(8, func(int) []member { return all[:4] })
	f.walk("nobody changes", same, 1, 8)
	drift := changing(24, func(height int) []member { return all[height/3 : height/3+4] })
	f.walk("one changes every three heights", drift, 1, 24)
	f.walk("one changes every three heights, from the middle", drift, 7, 24)
	jump := changing(12, func(height int) []member {
		if height < 7 {
			return all[:4]
		}
		return all[4:8]
	})
	f.walk("all change at once", jump, 1, 12)
	forged := append([]*types.LightBlock{}, drift...)
	forged[23] = block{height: 24, set: setOf(all[:4]), keys: all}.make()
	f.walk("those who left sign the last block", forged, 13, 24)
	f.walk("half of those who are trusted, and who left since, sign the last block", forged, 7, 24)
	stranger := append([]*types.LightBlock{}, drift...)
	stranger[23] = block{height: 24, set: setOf(all[20:24]), keys: all}.make()
	f.walk("strangers sign the last block", stranger, 1, 24)
}

func (f *file) addAnswers() {
	list, set, _ := four()
	many := manyMembers(20)
	f.answer(block{height: 1, set: set, keys: list, first: true}.make())
	f.answer(block{height: 9, set: set, keys: list, votes: votes(types.BlockIDFlagNil, 0, 1, 3), round: 2}.make())
	f.answer(block{height: 9, set: set, keys: list, votes: only(0, 2, 3), time: start.Truncate(time.Second)}.make())
	f.answer(block{height: 9, set: setOf(many), keys: many}.make())
}
