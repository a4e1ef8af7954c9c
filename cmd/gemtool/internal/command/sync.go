package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

func newSync() *cobra.Command {
	var (
		pid  int
		fds  []int
		wait time.Duration
	)
	cmd := &cobra.Command{
		Use:   "sync [DESCRIPTOR...]",
		Short: "Show the fences that buffers and sync_files wait for",
		Long: `Sync shows the dma-bufs and sync_files of a process and their fences: who has to
wait, for which driver, and since when that is over. DESCRIPTORs are numbers of
its own, that a caller has passed on; others are named by process.

Whoever reads a dma-buf waits for its writers, and whoever writes it for all who
use it. Of a dma-buf only the fences that are not over are known.

The descriptors of another process take the right to trace it: to be its user,
or the capability CAP_SYS_PTRACE. Nothing of it is changed or stopped.

Exit codes: 0 shown, 1 not ready in the time of --wait, 77 there is nothing to
show, or nothing that this user may see.`,
		Example: `  gemtool sync --pid 1234
  gemtool sync --pid 1234 --fd 17 --wait 2s`,
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.Flags().IntVar(&pid, "pid", 0, "show descriptors of the process `PID`")
	cmd.Flags().IntSliceVar(&fds, "fd", nil, "of the process only descriptor `N`; repeatable")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait for all fences, but no longer than this `TIME`")
	addJSON(cmd)
	cmd.RunE = run(func(cmd *cobra.Command, args []string) error {
		var err error
		byProcess := cmd.Flags().Changed("pid")
		switch {
		case byProcess && len(args) > 0, !byProcess && len(args) == 0, !byProcess && len(fds) > 0:
			return usageError("say either --pid PID, with --fd N or without, or numbers of descriptors that gemtool was started with")
		case byProcess && pid <= 0:
			return usageError("process %d: no such number", pid)
		case cmd.Flags().Changed("wait") && wait <= 0:
			return usageError("--wait %v: no time", wait)
		case !byProcess:
			fds, err = parseDescriptors(args)
		case len(fds) == 0:
			if fds, err = syncDescriptors(pid); err == nil && len(fds) == 0 {
				err = &exitError{ExitNothing, fmt.Errorf("process %d has neither a dma-buf nor a sync_file", pid)}
			}
		}
		if err != nil {
			return err
		}
		return showSync(cmd, pid, fds, wait)
	})
	return cmd
}

func parseDescriptors(args []string) (fds []int, err error) {
	for _, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 31)
		if err != nil {
			return nil, usageError("descriptor %q: want a number", arg)
		}
		fds = append(fds, int(n))
	}
	return fds, nil
}

type syncJSON struct {
	Schema string       `json:"schema"`
	PID    int          `json:"pid,omitempty"` // 0: descriptors of gemtool's own
	Files  []fencedJSON `json:"files"`
}

// fencedJSON is a dma-buf, which has ToRead and ToWrite, or a sync_file, which
// has All.
type fencedJSON struct {
	FD       int       `json:"fd"`
	Kind     string    `json:"kind"` // dma-buf or sync_file
	Exporter string    `json:"exporter,omitempty"`
	Name     string    `json:"name,omitempty"`
	Inode    uint64    `json:"inode,omitempty"` // the same for all descriptors of a dma-buf
	Size     uint64    `json:"size,omitempty"`
	ToRead   *waitJSON `json:"to_read,omitempty"`
	ToWrite  *waitJSON `json:"to_write,omitempty"`
	All      *waitJSON `json:"all,omitempty"`
	Error    string    `json:"error,omitempty"` // why the fences are not known
}

type waitJSON struct {
	Ready  bool        `json:"ready"`
	Fences []fenceJSON `json:"fences"` // null: not known
}

type fenceJSON struct {
	Driver   string `json:"driver"`
	Timeline string `json:"timeline"`
	Status   string `json:"status"` // active, signaled or failed
	Errno    string `json:"errno,omitempty"`
	Signaled *int64 `json:"signaled_ns"` // on CLOCK_MONOTONIC; null: not yet
	Age      *int64 `json:"age_ns"`      // since then
}

// showSync shows one descriptor after the other, so that it never has more than
// one. A process may have closed some since they were listed.
func showSync(cmd *cobra.Command, pid int, fds []int, wait time.Duration) error {
	ctx := cmd.Context()
	if wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	listed := pid != 0 && !cmd.Flags().Changed("fd")
	doc := &syncJSON{Schema: "gemtool.sync/v1", PID: pid, Files: []fencedJSON{}}
	var late []string
	for _, n := range fds {
		j, err := readFenced(ctx, pid, n, wait > 0)
		switch {
		case cmd.Context().Err() != nil:
			return cmd.Context().Err()
		case errors.Is(err, context.DeadlineExceeded):
			late = append(late, fmt.Sprint(n))
		case listed && (errors.Is(err, syscall.EBADF) || errors.Is(err, errNotFenced)):
			continue
		case err != nil:
			return err
		}
		doc.Files = append(doc.Files, j)
	}
	if err := show(cmd, doc); err != nil {
		return err
	}
	if len(late) > 0 {
		return fmt.Errorf("not ready after %v: descriptor %s", wait, strings.Join(late, ", "))
	}
	return nil
}

var errNotFenced = errors.New("it is neither a dma-buf nor a sync_file")

// readFenced says what a descriptor is; after a wait that was too long, too.
func readFenced(ctx context.Context, pid, n int, wait bool) (fencedJSON, error) {
	for _, read := range []func(context.Context, *ioctl.FD, bool) (fencedJSON, error){readBuffer, readSyncFile} {
		// Each takes one of its own over.
		fd, err := takeDescriptor(pid, n)
		if err != nil {
			return fencedJSON{}, err
		}
		j, err := read(ctx, fd, wait)
		if errors.Is(err, prime.ErrNotDMABuf) || errors.Is(err, prime.ErrNotSyncFile) {
			continue
		}
		j.FD = n
		return j, err
	}
	return fencedJSON{}, usageError("descriptor %d: %w", n, errNotFenced)
}

func readBuffer(ctx context.Context, fd *ioctl.FD, wait bool) (j fencedJSON, err error) {
	b, err := prime.New(fd)
	if err != nil {
		return j, err
	}
	defer b.Close()
	if wait {
		if err = b.Wait(ctx, prime.ReadWrite); err != nil && ctx.Err() == nil {
			return j, noFences(err)
		}
	}
	j = fencedJSON{Kind: "dma-buf", Inode: b.Inode(), Size: b.Size()}
	// Without /proc they are not known.
	j.Exporter, _ = b.ExporterName()
	j.Name, _ = b.Name()
	for access, to := range map[prime.Access]**waitJSON{prime.Read: &j.ToRead, prime.Write: &j.ToWrite} {
		w := &waitJSON{}
		var fail error
		if w.Ready, fail = b.Idle(access); fail != nil {
			return j, fail
		}
		*to = w
		s, fail := b.ExportSyncFile(access)
		if fail != nil {
			j.Error = noFences(fail).Error()
			continue
		}
		defer s.Close()
		info, fail := s.Info()
		if fail != nil {
			return j, fail
		}
		// In the place of no fence the kernel has one that was over from the
		// beginning.
		info.Fences = slices.DeleteFunc(info.Fences, func(f prime.FenceInfo) bool { return f.Status != prime.FenceActive })
		w.Fences = newFencesJSON(info)
	}
	return j, err
}

// noFences says what an errno does not.
func noFences(err error) error {
	if errors.Is(err, syscall.ENOTTY) {
		return fmt.Errorf("%w (the fences of buffers came with Linux 6.0, and take CONFIG_SYNC_FILE)", err)
	}
	return err
}

func readSyncFile(ctx context.Context, fd *ioctl.FD, wait bool) (j fencedJSON, err error) {
	s, err := prime.NewSyncFile(fd)
	if err != nil {
		return j, err
	}
	defer s.Close()
	if wait {
		// Waiting makes a file non-blocking, which its owner would see.
		own, err := s.Merge("gemtool", s)
		if err != nil {
			return j, err
		}
		defer own.Close()
		if err := own.Wait(ctx); err != nil && ctx.Err() == nil {
			return j, err
		}
	}
	info, err := s.Info()
	if err != nil {
		return j, err
	}
	ready := info.Status != prime.FenceActive
	if wait && !ready {
		err = ctx.Err()
	}
	return fencedJSON{Kind: "sync_file", Name: info.Name, All: &waitJSON{ready, newFencesJSON(info)}}, err
}

func newFencesJSON(info prime.SyncInfo) []fenceJSON {
	now := drm.Monotonic()
	fences := []fenceJSON{}
	for _, f := range info.Fences {
		j := fenceJSON{Driver: f.Driver, Timeline: f.Timeline, Status: f.Status.String()}
		if errno, ok := f.Status.Err().(syscall.Errno); ok {
			j.Status, j.Errno = "failed", words.Name(errno)
		}
		if f.Status != prime.FenceActive {
			at, age := int64(f.Time), int64(max(0, now-f.Time))
			j.Signaled, j.Age = &at, &age
		}
		fences = append(fences, j)
	}
	return fences
}

func (d *syncJSON) text(p *page) {
	var files, fences [][]string
	for _, f := range d.Files {
		size := ""
		if f.Kind == "dma-buf" {
			size = fmt.Sprint(f.Size)
		}
		files = append(files, []string{fmt.Sprint(f.FD), f.Kind, words.Escape(f.Exporter), words.Escape(f.Name), size, f.state(p)})
		fences = append(fences, f.rows(p)...)
	}
	p.table([]string{"descriptor", "kind", "exporter", "name", "bytes", "state"}, files)
	if len(fences) > 0 {
		p.table([]string{"descriptor", "who waits", "driver", "timeline", "status"}, fences)
	}
	for _, f := range d.Files {
		if f.Error != "" {
			p.line("descriptor %d: its fences are not known: %s", f.FD, words.Escape(f.Error))
		}
	}
}

// state says in words what may be done now.
func (f *fencedJSON) state(p *page) string {
	switch {
	case f.All != nil && f.All.Ready:
		return p.paint(green, "signaled")
	case f.All != nil:
		return p.paint(yellow, "not signaled")
	case f.ToWrite.Ready:
		return p.paint(green, "ready to read and to write")
	case f.ToRead.Ready:
		return p.paint(yellow, "ready to read, not to write")
	}
	return p.paint(yellow, "not ready to read or to write")
}

// rows has a line for each fence. What readers wait for, writers do, too.
func (f *fencedJSON) rows(p *page) (rows [][]string) {
	add := func(who string, fences []fenceJSON) {
		for _, x := range fences {
			rows = append(rows, []string{fmt.Sprint(f.FD), who, words.Escape(x.Driver), words.Escape(x.Timeline), x.status(p)})
		}
	}
	if f.All != nil {
		add("all", f.All.Fences)
		return rows
	}
	writers := slices.Clone(f.ToWrite.Fences)
	for _, x := range f.ToRead.Fences {
		if i := slices.IndexFunc(writers, func(y fenceJSON) bool { return x.Driver == y.Driver && x.Timeline == y.Timeline }); i >= 0 {
			writers = slices.Delete(writers, i, i+1)
		}
	}
	add("readers, writers", f.ToRead.Fences)
	add("writers", writers)
	return rows
}

func (x *fenceJSON) status(p *page) string {
	s := x.Status
	if x.Age != nil {
		s += fmt.Sprintf(" %v ago", time.Duration(*x.Age).Round(time.Millisecond))
	}
	switch x.Status {
	case "failed":
		return p.paint(red, s+": "+x.Errno)
	case "active":
		return p.paint(yellow, s)
	}
	return s
}
