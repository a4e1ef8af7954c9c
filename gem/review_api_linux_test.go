package gem_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// What the tests of the API look at, by reflection, so that a method that is
// added without its counterpart fails them.
var (
	objectType  = reflect.TypeFor[*gem.Object]()
	contextType = reflect.TypeFor[context.Context]()
	heldType    = reflect.TypeFor[resv.Held]()
	errorType   = reflect.TypeFor[error]()
)

// parameters are those of a method without its receiver.
func parameters(m reflect.Method) (in []reflect.Type) {
	for i := 1; i < m.Type.NumIn(); i++ {
		in = append(in, m.Type.In(i))
	}
	return in
}

func results(m reflect.Method) (out []reflect.Type) {
	for i := range m.Type.NumOut() {
		out = append(out, m.Type.Out(i))
	}
	return out
}

func methods(t reflect.Type) (all []reflect.Method) {
	for i := range t.NumMethod() {
		all = append(all, t.Method(i))
	}
	return all
}

// TestSR9 passes if maps begin and end in pairs, lasting and local ones alike:
// whatever a method of Object returns that must end has one method to end it,
// which is the same for all ways to begin it, takes neither a context nor a
// Held, and leaves everything as it was before the pair, in any order.
//
// Case G26
func TestSR9(t *testing.T) {
	ends := map[reflect.Type]string{
		reflect.TypeFor[gem.Map]():    "VUnmap",
		reflect.TypeFor[gem.Local]():  "Unmap",
		reflect.TypeFor[gem.Window](): "End",
	}
	begun := make(map[reflect.Type][]string)
	for _, m := range methods(objectType) {
		for _, out := range results(m) {
			if out.PkgPath() == objectType.Elem().PkgPath() && out.Kind() == reflect.Struct && out != reflect.TypeFor[gem.Stats]() {
				begun[out] = append(begun[out], m.Name)
			}
		}
		if out := results(m); len(out) > 0 && out[0].Kind() == reflect.Func {
			if m.Name != "Hold" || out[0] != reflect.TypeFor[func()]() {
				t.Errorf("%s returns a function: is it an end?", m.Name)
			}
		}
	}
	for kind, by := range begun {
		end, ok := kind.MethodByName(ends[kind])
		if !ok {
			t.Errorf("what %v return, a %v, has no known end", by, kind)
			continue
		}
		if len(parameters(end)) != 0 || !slices.Equal(results(end), []reflect.Type{errorType}) {
			t.Errorf("%v.%s is %v, want func() error", kind, end.Name, end.Type)
		}
		for _, m := range methods(kind) {
			if m.Name != end.Name && m.Name != "Bytes" {
				t.Errorf("%v has another method, %s", kind, m.Name)
			}
		}
	}
	if len(begun) != len(ends) {
		t.Errorf("methods return %v, want the kinds of %v", begun, ends)
	}
	// Pins have no value of their own.
	if m, ok := objectType.MethodByName("Unpin"); !ok || len(parameters(m)) != 0 || !slices.Equal(results(m), []reflect.Type{errorType}) {
		t.Error("Unpin is not func() error")
	}

	p := newParty(t)
	before := p.fake.Count()
	for name, o := range p.all() {
		for first, mapIt := range ways {
			_, end := mapIt(t, o)
			end()
			if after := p.fake.Count(); after != before {
				t.Errorf("%s of %s and its end turn %+v into %+v", first, name, before, after)
			}
			for second, mapToo := range ways {
				if first == "LocalLocked" {
					break // it has the reservation
				}
				_, end := mapIt(t, o)
				_, endToo := mapToo(t, o)
				if second == "LocalLocked" {
					endToo()
					end()
				} else {
					end()
					endToo()
				}
				if after, s := p.fake.Count(), counters(t, p.own); after != before || s != (gem.Stats{}) {
					t.Errorf("%s and %s of %s turn %+v into %+v, %+v", first, second, name, before, after, s)
				}
			}
		}
	}
}

// TestSR10 passes if each way to lock has an entry point of its own: a method
// that takes the reservation with a context, and beside it one with the suffix
// Locked that has a Held in its place and does the same. The latter asserts:
// with no hold, another memory's or one that has ended it is ErrNotLocked and
// changes nothing.
//
// Cases G01, G02, G26
func TestSR10(t *testing.T) {
	// These take no reservation, or are made of others that do.
	alone := []string{"BeginAccess", "Local"}
	// These are made of others: VMap's short form, which has no context as
	// its hold bounds it.
	lockedOnly := []string{"LocalLocked"}
	for _, m := range methods(objectType) {
		in := parameters(m)
		switch name, locked := strings.CutSuffix(m.Name, "Locked"); {
		case locked && (len(in) == 0 || in[0] != heldType):
			t.Errorf("%s does not take a Held first", m.Name)
		case !locked && slices.Contains(in, heldType):
			t.Errorf("%s takes a Held, and is not named for it", m.Name)
		case locked && slices.Contains(in, contextType):
			t.Errorf("%s takes a context: what would it wait for?", m.Name)
		case locked && !slices.Contains(lockedOnly, m.Name):
			other, ok := objectType.MethodByName(name)
			if !ok || len(parameters(other)) == 0 || parameters(other)[0] != contextType ||
				!slices.Equal(parameters(other)[1:], in[1:]) || !slices.Equal(results(other), results(m)) {
				t.Errorf("%s has no counterpart with a context", m.Name)
			}
		case !locked && len(in) > 0 && in[0] == contextType && !slices.Contains(alone, m.Name):
			if _, ok := objectType.MethodByName(m.Name + "Locked"); !ok {
				t.Errorf("%s has no counterpart with a Held", m.Name)
			}
		}
	}

	p := newParty(t)
	stale := lock(t, p.own)
	unlock(t, stale)
	wrong := lock(t, p.foreign)
	defer unlock(t, wrong)
	before := p.fake.Count()
	tried := 0
	for _, m := range methods(objectType) {
		if !strings.HasSuffix(m.Name, "Locked") {
			continue
		}
		for name, h := range map[string]resv.Held{"no": {}, "an ended": stale, "another memory's": wrong} {
			for which, o := range map[string]*gem.Object{"own": p.own, "imported": p.imported} {
				args := []reflect.Value{reflect.ValueOf(o), reflect.ValueOf(h)}
				for _, in := range parameters(m)[1:] {
					arg := reflect.Zero(in)
					if in == reflect.TypeFor[prime.Access]() {
						arg = reflect.ValueOf(prime.ReadWrite)
					}
					args = append(args, arg)
				}
				out := m.Func.Call(args)
				err, _ := out[len(out)-1].Interface().(error)
				var e *gem.Error
				if !errors.Is(err, gem.ErrNotLocked) || !errors.As(err, &e) || e.Op != m.Name {
					t.Errorf("%s of %s with %s hold: %v, want ErrNotLocked", m.Name, which, name, err)
				}
				if errors.Is(err, gem.ErrStale) != (name == "an ended") {
					t.Errorf("%s of %s with %s hold: %v: is it stale?", m.Name, which, name, err)
				}
				if after, s := p.fake.Count(), counters(t, p.own); after != before || s != (gem.Stats{}) {
					t.Errorf("%s of %s with %s hold has changed something: %+v, %+v", m.Name, which, name, after, s)
				}
				tried++
			}
		}
	}
	if tried < 7*6 {
		t.Errorf("%d calls, want all of the Locked methods", tried)
	}
}
