// What Go says of a public log: its notes, its tiles, its proofs and what a witness has added.
//
// judge BASE VKEY NOTE WITNESS OLD, where NOTE is a file with a checkpoint that the witness has cosigned, and OLD the
// size of an earlier one, prints one line for each, "good" or what is wrong.
//
// Notes, hashes and proofs are judged by golang.org/x/mod/sumdb, tiles and entries by filippo.io/torchwood, cosignatures
// by github.com/transparency-dev/formats; nothing here computes a hash of its own.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"filippo.io/torchwood"
	cosigned "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var base string

func main() {
	base = os.Args[1]
	log, err := note.NewVerifier(os.Args[2])
	must(err)
	witness, err := cosigned.NewVerifierForCosignatureV1(os.Args[4])
	must(err)
	old, err := strconv.ParseInt(os.Args[5], 10, 64)
	must(err)
	tree, err := shown(log)
	fmt.Println("checkpoint:", said(err))
	if err == nil {
		fmt.Println("entries:", said(entries(tree)))
		fmt.Println("inclusion:", said(included(tree)))
		fmt.Println("consistency:", said(grown(tree, old)))
	}
	fmt.Println("cosignature:", said(witnessed(os.Args[3], log, witness)))
}

// shown returns the tree of the newest checkpoint, which the log has signed.
func shown(log note.Verifier) (tlog.Tree, error) {
	written, err := get("v1/checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	return opened(written, log)
}

func opened(written []byte, by ...note.Verifier) (tlog.Tree, error) {
	read, err := note.Open(written, note.VerifierList(by...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(read.Sigs) != len(by) || len(read.UnverifiedSigs) != 0 {
		return tlog.Tree{}, fmt.Errorf("%d of %d have signed, and %d others", len(read.Sigs), len(by), len(read.UnverifiedSigs))
	}
	said, err := torchwood.ParseCheckpoint(read.Text)
	if err != nil {
		return tlog.Tree{}, err
	}
	if said.Origin != by[0].Name() {
		return tlog.Tree{}, fmt.Errorf("it is of %s", said.Origin)
	}
	return said.Tree, nil
}

// entries reads every leaf from the tiles, and wants each in the tree.
func entries(tree tlog.Tree) error {
	fetcher, err := torchwood.NewTileFetcher(base)
	if err != nil {
		return err
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		return err
	}
	next := int64(0)
	for before := int64(-1); before < next; { // it leaves the tile that is not full to another reading
		before = next
		for index, entry := range client.Entries(context.Background(), tree, next) {
			if err := numbered(entry, index); err != nil {
				return err
			}
			next = index + 1
		}
		if err := client.Err(); err != nil {
			return err
		}
	}
	if next != tree.N {
		return fmt.Errorf("%d of %d were read", next, tree.N)
	}
	return nil
}

func numbered(entry []byte, index int64) error {
	var leaf struct {
		Number int64 `json:"number"`
	}
	if err := json.Unmarshal(entry, &leaf); err != nil {
		return err
	}
	if leaf.Number != index+1 {
		return fmt.Errorf("entry %d says that it is row %d", index, leaf.Number)
	}
	return nil
}

// included wants a proof for each row, as it is handed out, and each as it is made from tiles.
func included(tree tlog.Tree) error {
	fetcher, err := torchwood.NewTileFetcher(base)
	if err != nil {
		return err
	}
	reader := torchwood.TileHashReaderWithContext(context.Background(), tree, fetcher)
	for row := int64(1); row <= tree.N; row++ {
		var said struct {
			Leaf   string      `json:"leaf_data"`
			Hashes []tlog.Hash `json:"hashes"`
		}
		if err := ask(fmt.Sprintf("v1/proofs/inclusion?row=%d&size=%d", row, tree.N), &said); err != nil {
			return err
		}
		leaf := tlog.RecordHash([]byte(said.Leaf))
		if err := tlog.CheckRecord(said.Hashes, tree.N, tree.Hash, row-1, leaf); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		made, err := tlog.ProveRecord(tree.N, row-1, reader)
		if err != nil {
			return err
		}
		if fmt.Sprint(made) != fmt.Sprint(tlog.RecordProof(said.Hashes)) {
			return fmt.Errorf("row %d: another proof follows from the tiles", row)
		}
	}
	return nil
}

// grown wants the proof that the tree goes on from an earlier one.
func grown(tree tlog.Tree, old int64) error {
	fetcher, err := torchwood.NewTileFetcher(base)
	if err != nil {
		return err
	}
	before, err := tlog.TreeHash(old, torchwood.TileHashReaderWithContext(context.Background(), tree, fetcher))
	if err != nil {
		return err
	}
	var said struct {
		Hashes []tlog.Hash `json:"hashes"`
	}
	if err := ask(fmt.Sprintf("v1/proofs/consistency?from=%d&to=%d", old, tree.N), &said); err != nil {
		return err
	}
	return tlog.CheckTree(said.Hashes, tree.N, tree.Hash, old, before)
}

// witnessed wants a note to be both the log's and the witness's.
func witnessed(file string, log, witness note.Verifier) error {
	written, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = opened(written, log, witness)
	return err
}

func ask(path string, into any) error {
	written, err := get(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(written, into)
}

func get(path string) ([]byte, error) {
	answer, err := http.Get(base + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

func said(err error) string {
	if err != nil {
		return err.Error()
	}
	return "good"
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
