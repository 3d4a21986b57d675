// Command stranger connects to a CometBFT as the owner of a node key, through the encrypted connection and the handshake
// that its own package makes, and then sends what no honest node sends. It prints how many connections it had, how many
// of them came past the handshake, and how many the other side ended. tests/README.md says how it is run.
//
// usage: stranger HOST:PORT NODE_KEY_FILE CHAIN_ID
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"net"
	"os"
	"time"

	"github.com/cosmos/gogoproto/proto"

	"github.com/cometbft/cometbft/libs/protoio"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/conn"
	blocksync "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	consensus "github.com/cometbft/cometbft/proto/tendermint/consensus"
	mempool "github.com/cometbft/cometbft/proto/tendermint/mempool"
	packets "github.com/cometbft/cometbft/proto/tendermint/p2p"
	statesync "github.com/cometbft/cometbft/proto/tendermint/statesync"
	"github.com/cometbft/cometbft/version"
)

const (
	patience = 20 * time.Second       // for an answer that must come
	silence  = 300 * time.Millisecond // after which the other side has nothing to say
	attempts = 50                     // it lets one connection of a key go before it takes the next
)

var channels = []byte{0x20, 0x21, 0x22, 0x23, 0x30, 0x38, 0x40, 0x60, 0x61}

type counts struct {
	Connected int `json:"connected"`
	Greeted   int `json:"greeted"`
	Ended     int `json:"ended"`
}

type stranger struct {
	address, network string
	key              *p2p.NodeKey
	random           *rand.Rand
	counts           counts
}

func (s *stranger) bytes(size int) []byte {
	out := make([]byte, size)
	s.random.Read(out)
	return out
}

// A connection after the handshake of keys; nil: the other side did not want it.
func (s *stranger) connect() *conn.SecretConnection {
	raw, err := net.DialTimeout("tcp", s.address, patience)
	if err != nil {
		return nil
	}
	_ = raw.SetDeadline(time.Now().Add(patience))
	secret, err := conn.MakeSecretConnection(raw, s.key.PrivKey)
	if err != nil {
		_ = raw.Close()
		return nil
	}
	s.counts.Connected++
	return secret
}

// Says who it is, as an honest node does.
func (s *stranger) greet(secret *conn.SecretConnection) bool {
	info := p2p.DefaultNodeInfo{
		ProtocolVersion: p2p.NewProtocolVersion(version.P2PProtocol, version.BlockProtocol, 0),
		DefaultNodeID:   s.key.ID(),
		ListenAddr:      "tcp://127.0.0.1:1",
		Network:         s.network,
		Version:         version.TMCoreSemVer,
		Channels:        channels,
		Moniker:         "stranger",
		Other:           p2p.DefaultNodeInfoOther{TxIndex: "off", RPCAddress: "tcp://127.0.0.1:2"},
	}
	var other packets.DefaultNodeInfo
	if _, err := protoio.NewDelimitedWriter(secret).WriteMsg(info.ToProto()); err != nil {
		return false
	}
	if _, err := protoio.NewDelimitedReader(secret, p2p.MaxNodeInfoSize()).ReadMsg(&other); err != nil {
		return false
	}
	s.counts.Greeted++
	return true
}

// A connection on which both said who they are; nil: it was refused again and again.
func (s *stranger) meet() *conn.SecretConnection {
	for i := 0; i < attempts; i++ {
		if secret := s.connect(); secret != nil {
			if s.greet(secret) {
				return secret
			}
			_ = secret.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// Whatever comes is read, until the other side ends it or is silent for long.
func (s *stranger) end(secret *conn.SecretConnection) {
	room := make([]byte, 4096)
	_ = secret.SetDeadline(time.Now().Add(silence))
	for {
		if _, err := secret.Read(room); err != nil {
			if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
				s.counts.Ended++
			}
			break
		}
	}
	_ = secret.Close()
}

func packet(channel byte, data []byte, eof bool) *packets.Packet {
	message := &packets.PacketMsg{ChannelID: int32(channel), EOF: eof, Data: data}
	return &packets.Packet{Sum: &packets.Packet_PacketMsg{PacketMsg: message}}
}

// One connection, and on it one message of a channel, in packets as an honest node cuts it.
func (s *stranger) say(channel byte, data []byte) {
	secret := s.meet()
	if secret == nil {
		return
	}
	writer := protoio.NewDelimitedWriter(secret)
	for first := true; first || len(data) > 0; first = false {
		size := min(len(data), 1000)
		if _, err := writer.WriteMsg(packet(channel, data[:size], size == len(data))); err != nil {
			break
		}
		data = data[size:]
	}
	s.end(secret)
}

func (s *stranger) sayMessage(channel byte, message proto.Message) {
	data, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	s.say(channel, data)
}

// Bytes in the place of who it is, and in the place of packets.
func (s *stranger) noise() {
	for _, begin := range []func() *conn.SecretConnection{s.connect, s.meet} {
		for _, noise := range [][]byte{s.bytes(3000), {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, make([]byte, 5000)} {
			if secret := begin(); secret != nil {
				_, _ = secret.Write(noise)
				s.end(secret)
			}
		}
	}
	for _, channel := range append(channels, 0x99) {
		s.say(channel, s.bytes(300))
		s.say(channel, nil)
	}
	s.say(0x22, make([]byte, 1<<22)) // larger than any vote
}

// Messages of the right form that say what cannot be.
func (s *stranger) nonsense() {
	most := int64(math.MaxInt64)
	steps := []*consensus.NewRoundStep{
		{Height: most, Round: math.MaxInt32, Step: 3, SecondsSinceStartTime: most, LastCommitRound: math.MaxInt32},
		{Height: -1, Round: -1, Step: math.MaxUint32, LastCommitRound: -5},
	}
	for _, step := range steps {
		s.sayMessage(0x20, &consensus.Message{Sum: &consensus.Message_NewRoundStep{NewRoundStep: step}})
	}
	s.sayMessage(0x20, &consensus.Message{Sum: &consensus.Message_HasVote{HasVote: &consensus.HasVote{
		Height: most, Round: math.MaxInt32, Type: 77, Index: math.MaxInt32}}})
	s.sayMessage(0x21, &consensus.Message{Sum: &consensus.Message_BlockPart{BlockPart: &consensus.BlockPart{
		Height: 1, Round: math.MaxInt32}}})
	s.sayMessage(0x22, &consensus.Message{Sum: &consensus.Message_Vote{Vote: &consensus.Vote{}}})
	s.sayMessage(0x30, &mempool.Message{Sum: &mempool.Message_Txs{Txs: &mempool.Txs{
		Txs: [][]byte{s.bytes(200), {}, {0xc0}, {0xff, 0xff}, s.bytes(40000)}}}})
	s.sayMessage(0x40, &blocksync.Message{Sum: &blocksync.Message_BlockRequest{BlockRequest: &blocksync.BlockRequest{
		Height: most}}})
	s.sayMessage(0x40, &blocksync.Message{Sum: &blocksync.Message_StatusResponse{
		StatusResponse: &blocksync.StatusResponse{Height: most, Base: 0}}})
	s.sayMessage(0x60, &statesync.Message{Sum: &statesync.Message_SnapshotsResponse{
		SnapshotsResponse: &statesync.SnapshotsResponse{Height: uint64(most), Format: 99, Chunks: math.MaxUint32,
			Hash: s.bytes(32), Metadata: s.bytes(500)}}})
	for _, format := range []uint32{0, 1, 2, math.MaxUint32} {
		s.sayMessage(0x61, &statesync.Message{Sum: &statesync.Message_ChunkRequest{
			ChunkRequest: &statesync.ChunkRequest{Height: uint64(most), Format: format, Index: math.MaxUint32}}})
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: stranger HOST:PORT NODE_KEY_FILE CHAIN_ID")
		os.Exit(2)
	}
	key, err := p2p.LoadNodeKey(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &stranger{address: os.Args[1], network: os.Args[3], key: key, random: rand.New(rand.NewSource(1))}
	s.noise()
	s.nonsense()
	_ = json.NewEncoder(os.Stdout).Encode(s.counts)
}
