package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

// document is what a command prints: for programs its fields as JSON, the first
// of which names a schema and its version, for people its text.
//
// A change that breaks the readers of a schema takes a new version of it.
type document interface{ text(p *page) }

// addJSON adds the flag that every command has.
func addJSON(cmd *cobra.Command) {
	cmd.Flags().Bool("json", false, "print JSON, with the name and version of its schema")
}

// show writes a command's document to stdout, the one way or the other, at
// once: what cannot be written whole is an error.
func show(cmd *cobra.Command, doc document) error {
	w := cmd.OutOrStdout()
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return writeJSON(w, doc)
	}
	p := &page{width: columns(w), color: inColor(w)}
	doc.text(p)
	_, err := io.WriteString(w, p.String())
	return err
}

// showNothing ends a command that has nothing to show, for a reason: to programs
// it says that, too.
func showNothing(cmd *cobra.Command, doc document, why error) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		if err := show(cmd, doc); err != nil {
			return err
		}
	}
	return &exitError{ExitNothing, why}
}

// writeJSON writes ASCII: what a terminal could take for a command is escaped
// beyond what JSON asks for.
func writeJSON(w io.Writer, doc any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	var ascii []byte
	for _, r := range b.String() {
		switch {
		case r < 0x7f:
			ascii = append(ascii, byte(r))
		case r < 0x10000:
			ascii = fmt.Appendf(ascii, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			ascii = fmt.Appendf(ascii, `\u%04x\u%04x`, hi, lo)
		}
	}
	_, err := w.Write(ascii)
	return err
}

// columns returns the width that text may have; 0 is any. Only a terminal has
// one, unless the user says so.
func columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return terminalWidth(w)
}

// inColor follows no-color.org, and CLICOLOR_FORCE of bixense.com/clicolors.
func inColor(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if force := os.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// page collects text for people.
type page struct {
	strings.Builder
	width int // columns; 0: any
	color bool
}

// color is what a terminal is told to begin a colour.
type color string

const (
	red    color = "\x1b[31m"
	green  color = "\x1b[32m"
	yellow color = "\x1b[33m"
)

// paint colours s where that is wanted.
func (p *page) paint(c color, s string) string {
	if !p.color || s == "" {
		return s
	}
	return string(c) + s + "\x1b[0m"
}

// line writes a paragraph, wrapped to the page's width.
func (p *page) line(format string, args ...any) { p.hang(0, format, args...) }

// hang does so, too, with all lines but the first one indented.
func (p *page) hang(indent int, format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	for from := 0; p.width > 0 && utf8.RuneCountInString(s) > p.width; {
		cut := len(string([]rune(s)[:p.width+1]))
		at := strings.LastIndexByte(s[from:cut], ' ')
		if at <= 0 {
			at = strings.IndexByte(s[from:], ' ') // a word wider than the page stays whole
		}
		if at <= 0 {
			break
		}
		line, rest := s[:from+at], s[from+at:]
		p.WriteString(strings.TrimRight(line, " ") + "\n")
		from = min(indent, p.width/2)
		s = strings.Repeat(" ", from) + strings.TrimLeft(rest, " ")
	}
	p.WriteString(s + "\n")
}

// table writes a table. Columns that are empty but for their head are left out,
// and the widest are wrapped until the table fits the page.
func (p *page) table(head []string, rows [][]string) {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault // names as they are
	var widths []int
	line := func(cells []string) (row table.Row) {
		for i, c := range cells {
			if !empty(rows, i) {
				row = append(row, c)
			}
		}
		return row
	}
	for i := range head {
		if empty(rows, i) {
			continue
		}
		w := text.LongestLineLen(head[i])
		for _, r := range rows {
			w = max(w, text.LongestLineLen(r[i]))
		}
		widths = append(widths, w)
	}
	t.AppendHeader(line(head))
	for _, r := range rows {
		t.AppendRow(line(r))
	}
	if fit(widths, p.width) {
		var configs []table.ColumnConfig
		for i, w := range widths {
			configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: text.WrapSoft})
		}
		t.SetColumnConfigs(configs)
		t.Style().Options.SeparateRows = true
	}
	p.WriteString(t.Render() + "\n")
}

func empty(rows [][]string, column int) bool {
	for _, r := range rows {
		if r[column] != "" {
			return false
		}
	}
	return true
}

// fit makes the widest columns narrower until the table fits, and says whether
// it had to. The first column names things, which people copy: it is cut last.
func fit(widths []int, width int) (changed bool) {
	total := 1 + 3*len(widths)
	for _, w := range widths {
		total += w
	}
	for first := 1; first >= 0; first-- {
		for width > 0 && total > width {
			widest := first
			for i := first; i < len(widths); i++ {
				if widths[i] > widths[widest] {
					widest = i
				}
			}
			const least = 8 // characters in a line of a cell
			if widest >= len(widths) || widths[widest] <= least {
				break
			}
			widths[widest]--
			total--
			changed = true
		}
	}
	return changed
}

// progress shows on a terminal how far a command is that takes its time: step
// before each of all parts, end for the place to be free for other lines. (Of the
// libraries for this one links net/http, and others draw when they want to, over
// the lines of stdout.)
func progress(cmd *cobra.Command, all int) (step func(what string), end func()) {
	w := cmd.ErrOrStderr()
	if !isTerminal(w) {
		return func(string) {}, func() {}
	}
	done := 0
	step = func(what string) {
		done++
		s := fmt.Sprintf("%d of %d: %s", done, all, words.Escape(what))
		if n := columns(w); n > 0 && utf8.RuneCountInString(s) >= n {
			s = string([]rune(s)[:n-1])
		}
		fmt.Fprintf(w, "\r\033[K%s", s)
	}
	return step, func() { fmt.Fprint(w, "\r\033[K") }
}
