package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const patient = 5 * time.Second // how long a program asks for another that it needs

// needPeer wants another to answer soon: `needs-peer=db:5432`.
func needPeer(value string) error {
	for end := time.Now().Add(patient); !answers(value); time.Sleep(time.Second / 2) {
		if time.Now().After(end) {
			return fmt.Errorf("%s does not answer", value)
		}
	}
	return nil
}

func answers(address string) bool {
	name, port, _ := strings.Cut(address, ":")
	return len(callName(call{Name: name, Port: port, Proto: "tcp"}).Hosts) > 0
}

// quorum tells whether most of some peers answer: `quorum=n1:2380,n2:2380,n3:2380`; true where nobody asks for one.
func quorum(value string) bool {
	peers := strings.Split(value, ",")
	answering := 0
	for _, peer := range peers {
		if value == "" || answers(peer) {
			answering++
		}
	}
	return 2*answering > len(peers)
}

// awaitQuorum ends a program whose peers do not come together in time.
func awaitQuorum(known words) {
	limit, err := time.ParseDuration(known.first("within"))
	if err != nil {
		return
	}
	for end := time.Now().Add(limit); !quorum(known.first("quorum")); time.Sleep(time.Second / 2) {
		if time.Now().After(end) {
			fmt.Fprintf(os.Stderr, "quorum: most of %s do not answer\n", known.first("quorum"))
			os.Exit(failed)
		}
	}
}
