// Coverage prints README's table of the ioctls that are bound here and by
// peers. Ours are read from the code, peers' from testdata/uapi/coverage.tsv.
//
// usage: go run ./testdata/uapi/coverage
//
// Run it in the module's root.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// legacy is the group of ioctls that are alive and left out.
const legacy = "legacy"

func main() {
	if err := table(os.Stdout, "."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// table prints the table: how many of each group's ioctls each library binds,
// and which it does not, where those are few.
func table(w io.Writer, root string) error {
	peers, rows, err := readPeers(root)
	if err != nil {
		return err
	}
	ours, err := bound(root)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "| ioctls of Linux 7.2 | gemtool | %s |\n|-|-|%s\n", strings.Join(peers, " | "), strings.Repeat("-|", len(peers)))
	for len(rows) > 0 && rows[0].group != legacy {
		group := rows[0].group
		n := slices.IndexFunc(rows, func(r row) bool { return r.group != group })
		if n < 0 {
			n = len(rows)
		}
		fmt.Fprintf(w, "| %s: %d | %s |", group, n, count(rows[:n], func(r row) bool { return ours[r.ioctl] }))
		for i := range peers {
			fmt.Fprintf(w, " %s |", count(rows[:n], func(r row) bool { return r.peers[i] }))
		}
		fmt.Fprintln(w)
		rows = rows[n:]
	}
	fmt.Fprintf(w, "\n%d more that still do something are left out, each for a reason in\n`testdata/uapi/left-out.txt`.\n", len(rows))
	return nil
}

// count says how many of a group a library has.
func count(rows []row, has func(row) bool) string {
	var missing []string
	for _, r := range rows {
		if !has(r) {
			missing = append(missing, r.ioctl)
		}
	}
	switch {
	case len(missing) == 0:
		return "all"
	case len(missing) == len(rows):
		return "none"
	case len(missing) <= 4:
		return fmt.Sprintf("%d, not %s", len(rows)-len(missing), strings.Join(missing, ", "))
	}
	return fmt.Sprint(len(rows) - len(missing))
}
