package command

import (
	"fmt"
	"regexp"

	"github.com/jedib0t/go-pretty/v6/list"
	"github.com/jedib0t/go-pretty/v6/text"
)

var trailing = regexp.MustCompile(` +\n`)

// tree is a page's tree of paragraphs below a line.
type tree struct {
	page  *page
	list  list.Writer
	depth int
}

func (p *page) tree(f func(t *tree)) {
	t := &tree{page: p, list: list.NewWriter()}
	style := list.StyleConnectedLight
	style.CharItemTop, style.CharItemFirst, style.CharItemSingle = style.CharItemMiddle, style.CharItemMiddle, style.CharItemBottom
	t.list.SetStyle(style)
	f(t)
	if s := t.list.Render(); s != "" {
		p.WriteString(s + "\n")
	}
}

// item adds a paragraph, wrapped to the page's width.
func (t *tree) item(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	const indent = 3 // columns a level
	if t.page.width > 0 {
		s = text.WrapSoft(s, max(t.page.width-indent*(t.depth+1), 8))
		s = trailing.ReplaceAllString(s, "\n") // it fills lines up
	}
	t.list.AppendItem(s)
}

// under adds a paragraph with others below it.
func (t *tree) under(f func(), format string, args ...any) {
	t.item(format, args...)
	t.list.Indent()
	t.depth++
	f()
	t.list.UnIndent()
	t.depth--
}
