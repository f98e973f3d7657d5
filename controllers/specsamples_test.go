package controllers_test

import (
	"fmt"
	"strings"
)

type (
	object = map[string]any
	list   = []any
)

// samples make up what the schema does not tell: patterns, unions, and the fields of Kubernetes types.
var samples = map[string]func(*author) any{
	".image": func(a *author) any {
		return one(a, "example.com/server:1", "server", "a/b@sha256:"+strings.Repeat("0a", 32))
	},
	".path":               func(a *author) any { return one(a, "/", "/mcp", "/api/v1/mcp", "/a+b/~c", "/mcp/") },
	".healthPath":         func(a *author) any { return one(a, "/", "/health", "/a/b") },
	".port":               func(a *author) any { return one[int64](a, 1, 80, 3001, 8000, 29090, 65535) },
	".imagePullSecrets[]": func(a *author) any { return object{"name": a.word()} },
	".env[]":              (*author).variable,
	".envFrom[]": func(a *author) any {
		return object{one(a, "configMapRef", "secretRef"): object{"name": a.word(), "optional": true}, "prefix": one(a, "", "X_")}
	},
	".multiuser.env[].name": func(a *author) any { return strings.ToUpper(a.word()) },
	".volumes[]":            (*author).volume,
	".volumeMounts":         func(*author) any { return list{} }, // reconcile mounts what there is
	".pod.affinity":         (*author).affinity,
	".pod.tolerations[]": func(a *author) any {
		return one(a, object{"operator": "Exists"}, object{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"},
			object{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": int64(30)})
	},
	".pod.topologySpreadConstraints[]": func(a *author) any {
		out := object{"maxSkew": int64(1 + a.IntN(3)), "topologyKey": a.word(), "whenUnsatisfiable": "DoNotSchedule"}
		if a.IntN(2) == 0 {
			out["labelSelector"] = selector(a)
		}
		return out
	},
	".pod.labels":          func(a *author) any { return object{a.word(): a.word(), "example.com/" + a.word(): ""} },
	".pod.nodeSelector":    func(a *author) any { return object{"kubernetes.io/arch": one(a, "amd64", "arm64")} },
	".pod.annotations":     func(a *author) any { return object{"example.com/" + a.word(): "any text: €"} },
	".commonLabels":        func(a *author) any { return object{a.word(): a.word(), "example.com/" + a.word(): ""} },
	".commonAnnotations":   func(a *author) any { return object{"example.com/" + a.word(): "any text: €"} },
	".service.appProtocol": func(a *author) any { return one(a, "http", "kgateway.dev/mcp") },
	".service.annotations": func(a *author) any { return object{"example.com/" + a.word(): "true"} },
	".gate.port":           func(a *author) any { return one[int64](a, 1024, 8080, 8443, 65534) },
	".gate.adminPort":      func(a *author) any { return one[int64](a, 1025, 9090, 9443, 65533) },
	".gate.allowedHosts[]": func(a *author) any { return one(a, a.word()+".example.com", a.word()) },
	".gate.allowedOrigins[]": func(a *author) any {
		return one(a, "https://", "http://", "vscode-webview://") + a.word() + one(a, "", ".example.com", ":8443")
	},
	".gate.healthPaths[]": func(a *author) any { return "/alive-" + a.word() },
	".gate.extraPaths[]":  func(a *author) any { return "/" + a.word() + one(a, "", "/x", "/") },
	".auth.providers[]":   (*author).provider,
	".auth.authorization.rules[]": func(a *author) any {
		rule := a.some(object{
			"methods": list{one(a, "tools/call", "tools/*", "resources/read", "*")}, "prompts": list{a.word()},
			"resources": list{"file:///" + a.word() + "/*"}, "scopes": list{a.word()},
			"claims": list{object{"name": a.word(), "values": list{a.word()}}},
		})
		rule["tools"] = list{a.word(), a.word() + "*"}
		return rule
	},
	".auth.forward.claimToHeaders[].header":         func(a *author) any { return "X-" + a.word() },
	".auth.resourceMetadata.resource":               func(a *author) any { return "https://" + a.word() + one(a, "", ".example.com:8443") },
	".auth.resourceMetadata.authorizationServers[]": func(a *author) any { return "https://" + a.word() + one(a, "", "/realm") },
	".auth.limits.clientIP.trustedProxies[]":        cidr,
	".route.hostnames[]":                            func(a *author) any { return a.word() + ".example.com" },
	".route.parentRefs[].name":                      func(a *author) any { return a.word() },
}

type sampleEnd struct {
	end    string
	makeUp func(*author) any
}

// sampleEnds are for fields that stand in several places.
var sampleEnds = []sampleEnd{
	{"resources", func(a *author) any {
		return a.some(object{"requests": object{"cpu": one(a, "10m", "1"), "memory": "32Mi"}, "limits": object{"cpu": int64(2), "memory": "1Gi"}})
	}},
	{"From[]", peer},
	{"egressTo[]", func(a *author) any {
		out := peer(a).(object)
		if a.IntN(2) == 0 {
			out["ports"] = list{object{"port": int64(443)}, object{"port": int64(1000), "endPort": int64(2000), "protocol": one(a, "TCP", "UDP", "SCTP")}}
		}
		return out
	}},
}

func cidr(a *author) any {
	return one(a, "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", fmt.Sprintf("192.0.2.%d/32", a.IntN(256)))
}

func selector(a *author) object {
	return a.some(object{
		"matchLabels":      object{"app": a.word()},
		"matchExpressions": list{object{"key": "tier", "operator": "In", "values": list{a.word()}}, object{"key": "k", "operator": "Exists"}},
	})
}

func peer(a *author) any {
	if a.IntN(3) == 0 {
		return object{"ipBlock": one(a, object{"cidr": cidr(a)}, object{"cidr": "10.0.0.0/8", "except": list{"10.1.0.0/16", "10.2.0.0/16"}})}
	}
	out := a.some(object{"podSelector": selector(a)})
	out["namespaceSelector"] = selector(a)
	return out
}

func (a *author) variable() any {
	name := strings.ToUpper(a.word())
	return one(a, object{"name": name, "value": a.word()}, object{"name": name}, object{"name": name, "valueFrom": one(a,
		object{"secretKeyRef": object{"name": a.word(), "key": "k"}}, object{"configMapKeyRef": object{"name": a.word(), "key": "k", "optional": true}},
		object{"fieldRef": object{"fieldPath": "status.podIP"}}, object{"resourceFieldRef": object{"resource": "limits.memory"}})})
}

func (a *author) volume() any {
	items := list{object{"key": "k", "path": "dir/file", "mode": int64(0o440)}}
	source := one(a,
		object{"configMap": object{"name": a.word(), "items": items}},
		object{"secret": object{"secretName": a.word(), "optional": true, "defaultMode": int64(0o400)}},
		object{"projected": object{"sources": list{
			object{"secret": object{"name": a.word()}}, object{"configMap": object{"name": a.word(), "items": items}},
			object{"downwardAPI": object{"items": list{object{"path": "labels", "fieldRef": object{"fieldPath": "metadata.labels"}}}}}}}},
		object{"downwardAPI": object{"items": list{object{"path": "name", "fieldRef": object{"fieldPath": "metadata.name"}}}}},
		object{"emptyDir": a.some(object{"medium": "Memory", "sizeLimit": "10Mi"})},
		object{"persistentVolumeClaim": object{"claimName": a.word(), "readOnly": true}},
		object{"ephemeral": object{"volumeClaimTemplate": object{"spec": object{
			"accessModes": list{"ReadWriteOnce"}, "resources": object{"requests": object{"storage": "1Gi"}}}}}},
		object{"csi": object{"driver": "csi.example.com", "volumeAttributes": object{"a": "b"}}},
		object{"image": object{"reference": "example.com/data:1"}},
	)
	source["name"] = a.word()
	return source
}

func (a *author) affinity() any {
	term := object{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector(a)}
	pods := object{
		"requiredDuringSchedulingIgnoredDuringExecution":  list{term},
		"preferredDuringSchedulingIgnoredDuringExecution": list{object{"weight": int64(1 + a.IntN(100)), "podAffinityTerm": term}},
	}
	nodes := object{"nodeSelectorTerms": list{object{"matchExpressions": list{object{"key": "disk", "operator": "In", "values": list{"ssd"}}}}}}
	return a.some(object{
		"nodeAffinity": object{"requiredDuringSchedulingIgnoredDuringExecution": nodes},
		"podAffinity":  a.some(pods), "podAntiAffinity": a.some(pods),
	})
}

func (a *author) provider() any {
	out := a.some(object{"clockSkewSeconds": int64(a.IntN(301)), "maxTokenLifetimeSeconds": one[int64](a, 0, 60, 86400, 31536000)})
	out["name"] = a.word()
	if kind := one(a, "Managed", "Cluster", "Secret", "Remote"); kind == "Secret" || kind == "Remote" {
		out["issuer"], out["audiences"] = "https://"+a.word()+".example.com", list{a.word()}
		if a.IntN(2) == 0 {
			out["tokenTypes"], out["identityClaims"] = list{"at+jwt", one(a, "", "JWT", "application/at+jwt")}, list{"tid", a.word()}
		}
		out["keys"] = a.broughtKeys(kind, out)
		return out
	} else if kind == "Managed" {
		delete(out, "maxTokenLifetimeSeconds")
		out["keys"] = object{"type": kind, "managed": a.some(object{
			"algorithm": one(a, "EdDSA", "ES256", "RS256"), "rotationSeconds": int64(86400), "overlapSeconds": one[int64](a, 60, 100000)})}
		return out
	}
	out["keys"] = object{"type": "Cluster"}
	return out
}

func (a *author) broughtKeys(kind string, provider object) object {
	public := list{one(a, "RS256", "ES384", "EdDSA")}
	if kind == "Remote" {
		remote := a.some(object{"jwksURI": "https://" + a.word() + "/keys?x=1", "maxStaleSeconds": int64(3600), "plainHTTP": "Allow"})
		if a.IntN(2) == 0 {
			remote["caSecretRef"] = object{"name": a.word(), "key": "ca.pem"}
			provider["algorithms"] = public
		}
		return object{"type": kind, "remote": remote}
	}
	format := one(a, "SharedSecret", "PEM", "JWKS")
	if a.IntN(2) == 0 {
		provider["algorithms"] = public
		if format == "SharedSecret" {
			provider["algorithms"] = list{one(a, "HS256", "HS384", "HS512")}
		}
	}
	if format == "SharedSecret" && a.IntN(2) == 0 {
		delete(provider, "audiences")
	}
	return object{"type": kind, "secret": object{"name": a.word(), "keys": list{"current", "next.pem"}, "format": format}}
}

// reconcile mends what was made up apart and does not go together.
func (a *author) reconcile(spec object) {
	if spec["profile"] == "Quilt" {
		delete(spec, "multiuser")
		env, _ := spec["env"].(list)
		spec["env"] = append(env, object{"name": "QUILT_CATALOG_URL", "value": "https://c.example.com"}, object{"name": "QUILT_REGISTRY_URL", "value": "s3://b"})
	}
	a.reconcileQuilt(spec)
	mounts := list{}
	volumes, _ := spec["volumes"].(list)
	for i, volume := range volumes {
		mount := a.some(object{"readOnly": true, "subPath": "a/b"})
		mount["name"], mount["mountPath"] = volume.(object)["name"], fmt.Sprintf("/mnt/%d", i)
		mounts = append(mounts, mount)
	}
	spec["volumeMounts"] = mounts
	gate, _ := spec["gate"].(object)
	if pod, found := spec["pod"].(object); found && pod["terminationGracePeriodSeconds"] != nil {
		drain, set := gate["drainSeconds"].(int64)
		if !set {
			drain = 30
		}
		pod["terminationGracePeriodSeconds"] = drain + 20 + int64(a.IntN(100))
	}
	reconcileProviders(spec)
	reconcileMetadata(spec)
	a.reconcileProbe(spec)
}

// reconcileMetadata has the metadata be of the URL that clients call.
func reconcileMetadata(spec object) {
	auth, _ := spec["auth"].(object)
	metadata, found := auth["resourceMetadata"].(object)
	if !found {
		return
	}
	if route, found := spec["route"].(object); found {
		metadata["resource"] = "https://" + route["hostnames"].(list)[0].(string)
	}
	path, set := spec["path"].(string)
	if !set {
		path = "/mcp"
	}
	metadata["resource"] = metadata["resource"].(string) + path
}

// reconcileProbe: a token is named where one is asked for, no pod waits for a proof where nothing is tried, and claims are for
// shared secrets: all that say who a caller is.
func (a *author) reconcileProbe(spec object) {
	probe, _ := spec["authProbe"].(object)
	if probe == nil {
		return
	}
	delete(probe, "tokenSecretRef")
	if probe["credential"] == "SecretRef" {
		probe["tokenSecretRef"] = object{"name": a.word(), "key": a.word()}
	}
	if probe["credential"] == "None" {
		probe["readinessGate"] = "Off"
	}
	delete(probe, "claims")
	auth, _ := spec["auth"].(object)
	providers, _ := auth["providers"].(list)
	claims := object{}
	for _, p := range providers {
		provider := p.(object)
		secret, _ := provider["keys"].(object)["secret"].(object)
		if secret["format"] != "SharedSecret" {
			continue
		}
		who, _ := provider["identityClaims"].(list)
		if len(who) == 0 {
			who = list{"sub", "id"}
		}
		for _, claim := range who {
			claims[claim.(string)] = a.word()
		}
	}
	if len(claims) > 0 && probe["credential"] != "None" && a.IntN(2) == 0 {
		probe["claims"] = claims
	}
}

// reconcileQuilt: images up to 0.14 go together with one shared secret only.
func (a *author) reconcileQuilt(spec object) {
	if spec["profile"] != "Quilt" {
		delete(spec, "quilt")
	}
	if quilt, _ := spec["quilt"].(object); quilt["release"] == "UpTo014" {
		spec["auth"] = object{"providers": list{object{"name": a.word(), "keys": object{
			"type": "Secret", "secret": object{"name": a.word(), "keys": list{a.word()}, "format": "SharedSecret"}}}}}
	}
}

// reconcileProviders leaves one provider of type Managed, and one of type Cluster.
func reconcileProviders(spec object) {
	auth, _ := spec["auth"].(object)
	providers, _ := auth["providers"].(list)
	kinds := map[any]bool{}
	var kept list
	for _, p := range providers {
		kind := p.(object)["keys"].(object)["type"]
		if kind == "Secret" || kind == "Remote" || !kinds[kind] {
			kept = append(kept, p)
		}
		kinds[kind] = true
	}
	if kept != nil {
		auth["providers"] = kept
	}
}
