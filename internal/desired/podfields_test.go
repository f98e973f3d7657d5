package desired_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
)

// leaf is a field that holds a value, in a part of a pod.
type leaf struct {
	part podlock.Part
	path string
}

// podLeaves are all fields of a pod, from the types of the Kubernetes API.
func podLeaves() []leaf {
	var all []leaf
	add := func(part podlock.Part, of reflect.Type, skip ...string) {
		for _, path := range leavesOf("", of) {
			first, _, _ := strings.Cut(path, ".")
			if !slices.Contains(skip, first) {
				all = append(all, leaf{part, path})
			}
		}
	}
	add(podlock.PodPart, reflect.TypeFor[corev1.PodSpec](), "containers", "initContainers", "ephemeralContainers", "volumes")
	add(podlock.GatePart, reflect.TypeFor[corev1.Container]())
	add(podlock.ContainerPart, reflect.TypeFor[corev1.Container]())
	add(podlock.GateVolumePart, reflect.TypeFor[corev1.Volume]())
	add(podlock.VolumePart, reflect.TypeFor[corev1.Volume]())
	for _, path := range leavesOf("", reflect.TypeFor[corev1.EphemeralContainer]()) {
		if !slices.Contains(leavesOf("", reflect.TypeFor[corev1.Container]()), path) {
			all = append(all, leaf{podlock.EphemeralPart, path})
		}
	}
	metadata := reflect.TypeFor[metav1.ObjectMeta]()
	for i := range metadata.NumField() {
		name, _, _ := strings.Cut(metadata.Field(i).Tag.Get("json"), ",")
		all = append(all, leaf{podlock.PodMetadataPart, name})
	}
	return all
}

// leavesOf goes into the types of the core API; all others are one value.
func leavesOf(path string, of reflect.Type) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[corev1.Pod]().PkgPath() {
		return []string{path}
	}
	var leaves []string
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		leaves = append(leaves, leavesOf(strings.Trim(path+"."+name, "."), of.Field(i).Type)...)
	}
	return leaves
}

// TestEveryFieldOfAPodIsJudged: a field of a later Kubernetes API is in no group, or not in the file. Whoever adds it asks
// first what could be done with it.
func TestEveryFieldOfAPodIsJudged(t *testing.T) {
	var listed strings.Builder
	leaves := podLeaves()
	for _, at := range leaves {
		group, found := podlock.JudgedAs(at.part, at.path)
		if !found {
			t.Errorf("%s: nobody has said what could be done with %s: put it into FieldGroups", at.part, at.path)
		}
		if group.Why == "" {
			t.Errorf("%s: no reason for %s", at.part, at.path)
		}
		fmt.Fprintf(&listed, "%s: %s: %s\n", at.part, at.path, group.Judged)
	}
	if len(leaves) < 700 {
		t.Errorf("%d fields were looked at", len(leaves))
	}
	const path = "testdata/podfields.txt"
	if *update {
		if err := os.WriteFile(path, []byte(listed.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(want), "\n")
	for line := range strings.SplitSeq(listed.String(), "\n") {
		if !slices.Contains(known, line) {
			t.Errorf("not in %s: %s: look whether its group is right for it, then go test -run %s -update", path, line, t.Name())
		}
	}
	if len(known) != strings.Count(listed.String(), "\n")+1 {
		t.Errorf("%s has %d lines, and there are %d fields", path, len(known)-1, len(leaves))
	}
}

// TestFieldGroupsCoverSomething: a group about a field that is no more says nothing.
func TestFieldGroupsCoverSomething(t *testing.T) {
	leaves := podLeaves()
	for _, group := range podlock.FieldGroups {
		for _, field := range group.Fields {
			if !slices.ContainsFunc(leaves, func(at leaf) bool {
				return at.part == group.Part && (field == "" || at.path == field || strings.HasPrefix(at.path, field+"."))
			}) {
				t.Errorf("%s has no field %s", group.Part, field)
			}
		}
	}
}

// unlocking are values that unlock a pod, of fields that are ruled: any other value will not do.
var unlocking = map[leaf]any{
	{podlock.PodPart, "dnsPolicy"}:                                        corev1.DNSDefault,
	{podlock.PodPart, "securityContext.sysctls.name"}:                     "net.ipv4.conf.all.route_localnet",
	{podlock.PodPart, "securityContext.sysctls.value"}:                    nil,
	{podlock.PodPart, "securityContext.runAsUser"}:                        int64(65533),
	{podlock.ContainerPart, "ports.name"}:                                 "mcp-gate",
	{podlock.ContainerPart, "env.valueFrom.secretKeyRef.name"}:            "everything-keys",
	{podlock.ContainerPart, "envFrom.secretRef.name"}:                     "everything-gate",
	{podlock.ContainerPart, "volumeMounts.name"}:                          "gatehouse-keys",
	{podlock.ContainerPart, "env.valueFrom.fileKeyRef.volumeName"}:        "gatehouse-secret",
	{podlock.ContainerPart, "securityContext.capabilities.add"}:           []corev1.Capability{"SYS_PTRACE"},
	{podlock.ContainerPart, "securityContext.runAsUser"}:                  int64(65533),
	{podlock.EphemeralPart, "targetContainerName"}:                        desired.GateContainer,
	{podlock.VolumePart, "secret.secretName"}:                             "everything-keys",
	{podlock.VolumePart, "projected.sources.secret.name"}:                 "everything-keys",
	{podlock.VolumePart, "csi.nodePublishSecretRef.name"}:                 "everything-keys",
	{podlock.VolumePart, "flexVolume.secretRef.name"}:                     "everything-keys",
	{podlock.VolumePart, "azureFile.secretName"}:                          "everything-keys",
	{podlock.VolumePart, "cephfs.secretRef.name"}:                         "everything-keys",
	{podlock.VolumePart, "rbd.secretRef.name"}:                            "everything-keys",
	{podlock.VolumePart, "iscsi.secretRef.name"}:                          "everything-keys",
	{podlock.VolumePart, "cinder.secretRef.name"}:                         "everything-keys",
	{podlock.VolumePart, "scaleIO.secretRef.name"}:                        "everything-keys",
	{podlock.VolumePart, "storageos.secretRef.name"}:                      "everything-keys",
	{podlock.PodPart, "readinessGates.conditionType"}:                     "changed",
	{podlock.PodPart, "hostAliases.hostnames"}:                            []string{"login.example.com"},
	{podlock.PodPart, "serviceAccountName"}:                               "other",
	{podlock.ContainerPart, "securityContext.windowsOptions.hostProcess"}: true,
	{podlock.PodPart, "securityContext.windowsOptions.hostProcess"}:       true,
	{podlock.ContainerPart, "securityContext.privileged"}:                 true,
	{podlock.ContainerPart, "securityContext.procMount"}:                  corev1.UnmaskedProcMount,
	{podlock.ContainerPart, "ports.hostPort"}:                             int32(80),
	{podlock.PodPart, "dnsConfig.nameservers"}:                            []string{"192.0.2.1"},
	{podlock.GatePart, "restartPolicy"}:                                   corev1.ContainerRestartPolicyNever,
}

// TestFieldsAreJudgedAsListed sets each field of a pod to another value: what is compared or ruled is found, and of what is
// harmless nothing is said.
func TestFieldsAreJudgedAsListed(t *testing.T) {
	const path = "testdata/generic/in.yaml"
	own := workload.Defaulted(readPodSpec(t, path))
	lock := podlock.Of(read(t, path), own)
	for _, at := range podLeaves() {
		if at.part == podlock.PodMetadataPart {
			continue // not in the specification; controllers/ tries those
		}
		pod := *own.DeepCopy()
		value, special := unlocking[at]
		if special && value == nil {
			continue // it says nothing by itself
		}
		if err := at.set(&pod, value); err != nil {
			t.Errorf("%s: %s: %v", at.part, at.path, err)
			continue
		}
		group, _ := podlock.JudgedAs(at.part, at.path)
		found := podlock.Violations(pod, lock)
		if (len(found) > 0) != (group.Judged != podlock.Harmless) {
			t.Errorf("%s: %s is %s, and found as %v", at.part, at.path, group.Judged, found)
		}
	}
}

// set gives the field a value that it does not have.
func (at leaf) set(pod *corev1.PodSpec, value any) error {
	switch at.part {
	case podlock.PodPart:
		return setLeaf(reflect.ValueOf(pod).Elem(), at.path, value)
	case podlock.GatePart:
		return setLeaf(reflect.ValueOf(&pod.InitContainers[0]).Elem(), at.path, value)
	case podlock.ContainerPart:
		pod.Containers = append(pod.Containers, corev1.Container{Name: "other"})
		return setLeaf(reflect.ValueOf(&pod.Containers[len(pod.Containers)-1]).Elem(), at.path, value)
	case podlock.EphemeralPart:
		pod.EphemeralContainers = append(pod.EphemeralContainers, corev1.EphemeralContainer{})
		return setLeaf(reflect.ValueOf(&pod.EphemeralContainers[0]).Elem(), at.path, value)
	case podlock.GateVolumePart:
		return setLeaf(reflect.ValueOf(gateVolume(pod, "gatehouse-keys")).Elem(), at.path, value)
	default:
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "other"})
		return setLeaf(reflect.ValueOf(&pod.Volumes[len(pod.Volumes)-1]).Elem(), at.path, value)
	}
}

// setLeaf goes down a path and makes what is missing on the way; of a list it takes the first item.
func setLeaf(at reflect.Value, path string, value any) error {
	for path != "" {
		at = entered(at)
		name, rest, _ := strings.Cut(path, ".")
		field := fieldNamed(at, name)
		if !field.IsValid() {
			return fmt.Errorf("no field %s in %s", name, at.Type())
		}
		at, path = field, rest
	}
	if value != nil {
		if at.Kind() == reflect.Pointer {
			at.Set(reflect.New(at.Type().Elem()))
			at = at.Elem()
		}
		at.Set(reflect.ValueOf(value).Convert(at.Type()))
		return nil
	}
	return changeField(at)
}

// entered is the structure that a value holds or leads to.
func entered(at reflect.Value) reflect.Value {
	for {
		switch at.Kind() {
		case reflect.Pointer:
			if at.IsNil() {
				at.Set(reflect.New(at.Type().Elem()))
			}
			at = at.Elem()
		case reflect.Slice:
			if at.Len() == 0 {
				at.Set(reflect.MakeSlice(at.Type(), 1, 1))
			}
			at = at.Index(0)
		default:
			return at
		}
	}
}

// fieldNamed finds a field by its name in JSON, in embedded structures as well.
func fieldNamed(of reflect.Value, name string) reflect.Value {
	for i := range of.NumField() {
		if tag, _, _ := strings.Cut(of.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return of.Field(i)
		}
		if of.Type().Field(i).Anonymous {
			if found := fieldNamed(entered(of.Field(i)), name); found.IsValid() {
				return found
			}
		}
	}
	return reflect.Value{}
}

// changeField gives a value of any type another.
func changeField(at reflect.Value) error {
	switch at.Kind() {
	case reflect.Pointer:
		other := reflect.New(at.Type().Elem())
		if !at.IsNil() {
			other.Elem().Set(at.Elem())
		}
		at.Set(other)
		return changeField(at.Elem())
	case reflect.Slice:
		item := reflect.New(at.Type().Elem()).Elem()
		at.Set(reflect.Append(at, item))
		return changeField(at.Index(at.Len() - 1))
	case reflect.Map:
		key, item := reflect.New(at.Type().Key()).Elem(), reflect.New(at.Type().Elem()).Elem()
		if err := changeField(key); err != nil {
			return err
		}
		at.Set(reflect.MakeMap(at.Type()))
		at.SetMapIndex(key, item)
		return nil
	case reflect.String:
		at.SetString(at.String() + "changed")
	case reflect.Bool:
		at.SetBool(!at.Bool())
	case reflect.Int32, reflect.Int64:
		at.SetInt(at.Int() + 7)
	case reflect.Struct:
		if at.Type() == reflect.TypeFor[intstr.IntOrString]() {
			at.Set(reflect.ValueOf(intstr.FromInt32(7)))
			return nil
		}
		return changeStruct(at)
	default:
		return fmt.Errorf("no other value of %s", at.Type())
	}
	return nil
}

// changeStruct changes the first field of a structure that is none of the core API, such as a quantity or a selector.
func changeStruct(at reflect.Value) error {
	for i := range at.NumField() {
		if at.Field(i).CanSet() && changeField(at.Field(i)) == nil {
			return nil
		}
	}
	return fmt.Errorf("no other value of %s", at.Type())
}
