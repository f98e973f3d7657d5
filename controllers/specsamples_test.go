package controllers_test

import (
	"fmt"
	"strings"
)

type (
	jsonObject = map[string]any
	jsonList   = []any
)

// samples make up what the schema does not tell: patterns, unions, and the fields of Kubernetes types.
var samples = map[string]func(*author) any{
	".image": func(a *author) any {
		return one(a, "example.com/server:1", "server", "a/b@sha256:"+strings.Repeat("0a", 32))
	},
	".path":               func(a *author) any { return one(a, "/", "/mcp", "/api/v1/mcp", "/a+b/~c", "/mcp/") },
	".healthPath":         func(a *author) any { return one(a, "/", "/health", "/a/b") },
	".port":               func(a *author) any { return one[int64](a, 1, 80, 3001, 8000, 29090, 65535) },
	".imagePullSecrets[]": func(a *author) any { return jsonObject{"name": a.word()} },
	".env[]":              (*author).variable,
	".envFrom[]": func(a *author) any {
		return jsonObject{one(a, "configMapRef", "secretRef"): jsonObject{"name": a.word(), "optional": true}, "prefix": one(a, "", "X_")}
	},
	".multiuser.env[].name": func(a *author) any { return strings.ToUpper(a.word()) },
	".volumes[]":            (*author).volume,
	".volumeMounts":         func(*author) any { return jsonList{} }, // reconcile mounts what there is
	".pod.affinity":         (*author).affinity,
	".pod.tolerations[]": func(a *author) any {
		return one(a, jsonObject{"operator": "Exists"}, jsonObject{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"},
			jsonObject{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": int64(30)})
	},
	".pod.topologySpreadConstraints[]": func(a *author) any {
		out := jsonObject{"maxSkew": int64(1 + a.IntN(3)), "topologyKey": a.word(), "whenUnsatisfiable": "DoNotSchedule"}
		if a.IntN(2) == 0 {
			out["labelSelector"] = selector(a)
		}
		return out
	},
	".pod.labels":          func(a *author) any { return jsonObject{a.word(): a.word(), "example.com/" + a.word(): ""} },
	".pod.nodeSelector":    func(a *author) any { return jsonObject{"kubernetes.io/arch": one(a, "amd64", "arm64")} },
	".pod.annotations":     func(a *author) any { return jsonObject{"example.com/" + a.word(): "any text: €"} },
	".commonLabels":        func(a *author) any { return jsonObject{a.word(): a.word(), "example.com/" + a.word(): ""} },
	".commonAnnotations":   func(a *author) any { return jsonObject{"example.com/" + a.word(): "any text: €"} },
	".service.appProtocol": func(a *author) any { return one(a, "http", "kgateway.dev/mcp") },
	".service.annotations": func(a *author) any { return jsonObject{"example.com/" + a.word(): "true"} },
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
		rule := a.some(jsonObject{
			"methods": jsonList{one(a, "tools/call", "tools/*", "resources/read", "*")}, "prompts": jsonList{a.word()},
			"resources": jsonList{"file:///" + a.word() + "/*"}, "scopes": jsonList{a.word()},
			"claims": jsonList{jsonObject{"name": a.word(), "values": jsonList{a.word()}}},
		})
		rule["tools"] = jsonList{a.word(), a.word() + "*"}
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
		return a.some(jsonObject{"requests": jsonObject{"cpu": one(a, "10m", "1"), "memory": "32Mi"}, "limits": jsonObject{"cpu": int64(2), "memory": "1Gi"}})
	}},
	{"From[]", peer},
	{"egressTo[]", func(a *author) any {
		out := peer(a).(jsonObject)
		if a.IntN(2) == 0 {
			out["ports"] = jsonList{jsonObject{"port": int64(443)}, jsonObject{"port": int64(1000), "endPort": int64(2000), "protocol": one(a, "TCP", "UDP", "SCTP")}}
		}
		return out
	}},
}

func cidr(a *author) any {
	return one(a, "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", fmt.Sprintf("192.0.2.%d/32", a.IntN(256)))
}

func selector(a *author) jsonObject {
	return a.some(jsonObject{
		"matchLabels":      jsonObject{"app": a.word()},
		"matchExpressions": jsonList{jsonObject{"key": "tier", "operator": "In", "values": jsonList{a.word()}}, jsonObject{"key": "k", "operator": "Exists"}},
	})
}

func peer(a *author) any {
	if a.IntN(3) == 0 {
		return jsonObject{"ipBlock": one(a, jsonObject{"cidr": cidr(a)}, jsonObject{"cidr": "10.0.0.0/8", "except": jsonList{"10.1.0.0/16", "10.2.0.0/16"}})}
	}
	out := a.some(jsonObject{"podSelector": selector(a)})
	out["namespaceSelector"] = selector(a)
	return out
}

func (a *author) variable() any {
	name := strings.ToUpper(a.word())
	return one(a, jsonObject{"name": name, "value": a.word()}, jsonObject{"name": name}, jsonObject{"name": name, "valueFrom": one(a,
		jsonObject{"secretKeyRef": jsonObject{"name": a.word(), "key": "k"}}, jsonObject{"configMapKeyRef": jsonObject{"name": a.word(), "key": "k", "optional": true}},
		jsonObject{"fieldRef": jsonObject{"fieldPath": "status.podIP"}}, jsonObject{"resourceFieldRef": jsonObject{"resource": "limits.memory"}})})
}

func (a *author) volume() any {
	items := jsonList{jsonObject{"key": "k", "path": "dir/file", "mode": int64(0o440)}}
	source := one(a,
		jsonObject{"configMap": jsonObject{"name": a.word(), "items": items}},
		jsonObject{"secret": jsonObject{"secretName": a.word(), "optional": true, "defaultMode": int64(0o400)}},
		jsonObject{"projected": jsonObject{"sources": jsonList{
			jsonObject{"secret": jsonObject{"name": a.word()}}, jsonObject{"configMap": jsonObject{"name": a.word(), "items": items}},
			jsonObject{"downwardAPI": jsonObject{"items": jsonList{jsonObject{"path": "labels", "fieldRef": jsonObject{"fieldPath": "metadata.labels"}}}}}}}},
		jsonObject{"downwardAPI": jsonObject{"items": jsonList{jsonObject{"path": "name", "fieldRef": jsonObject{"fieldPath": "metadata.name"}}}}},
		jsonObject{"emptyDir": a.some(jsonObject{"medium": "Memory", "sizeLimit": "10Mi"})},
		jsonObject{"persistentVolumeClaim": jsonObject{"claimName": a.word(), "readOnly": true}},
		jsonObject{"ephemeral": jsonObject{"volumeClaimTemplate": jsonObject{"spec": jsonObject{
			"accessModes": jsonList{"ReadWriteOnce"}, "resources": jsonObject{"requests": jsonObject{"storage": "1Gi"}}}}}},
		jsonObject{"csi": jsonObject{"driver": "csi.example.com", "volumeAttributes": jsonObject{"a": "b"}}},
		jsonObject{"image": jsonObject{"reference": "example.com/data:1"}},
	)
	source["name"] = a.word()
	return source
}

func (a *author) affinity() any {
	term := jsonObject{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector(a)}
	pods := jsonObject{
		"requiredDuringSchedulingIgnoredDuringExecution":  jsonList{term},
		"preferredDuringSchedulingIgnoredDuringExecution": jsonList{jsonObject{"weight": int64(1 + a.IntN(100)), "podAffinityTerm": term}},
	}
	nodes := jsonObject{"nodeSelectorTerms": jsonList{jsonObject{"matchExpressions": jsonList{jsonObject{"key": "disk", "operator": "In", "values": jsonList{"ssd"}}}}}}
	return a.some(jsonObject{
		"nodeAffinity": jsonObject{"requiredDuringSchedulingIgnoredDuringExecution": nodes},
		"podAffinity":  a.some(pods), "podAntiAffinity": a.some(pods),
	})
}

func (a *author) provider() any {
	out := a.some(jsonObject{"clockSkewSeconds": int64(a.IntN(301)), "maxTokenLifetimeSeconds": one[int64](a, 0, 60, 86400, 31536000)})
	out["name"] = a.word()
	if kind := one(a, "Managed", "Cluster", "Secret", "Remote"); kind == "Secret" || kind == "Remote" {
		out["issuer"], out["audiences"] = "https://"+a.word()+".example.com", jsonList{a.word()}
		if a.IntN(2) == 0 {
			out["tokenTypes"], out["identityClaims"] = jsonList{"at+jwt", one(a, "", "JWT", "application/at+jwt")}, jsonList{"tid", a.word()}
		}
		out["keys"] = a.broughtKeys(kind, out)
		return out
	} else if kind == "Managed" {
		delete(out, "maxTokenLifetimeSeconds")
		out["keys"] = jsonObject{"type": kind, "managed": a.some(jsonObject{
			"algorithm": one(a, "EdDSA", "ES256", "RS256"), "rotationSeconds": int64(86400), "overlapSeconds": one[int64](a, 60, 100000)})}
		return out
	}
	out["keys"] = jsonObject{"type": "Cluster"}
	return out
}

func (a *author) broughtKeys(kind string, provider jsonObject) jsonObject {
	public := jsonList{one(a, "RS256", "ES384", "EdDSA")}
	if kind == "Remote" {
		remote := a.some(jsonObject{"jwksURI": "https://" + a.word() + "/keys?x=1", "maxStaleSeconds": int64(3600), "plainHTTP": "Allow"})
		if a.IntN(2) == 0 {
			remote["caSecretRef"] = jsonObject{"name": a.word(), "key": "ca.pem"}
			provider["algorithms"] = public
		}
		return jsonObject{"type": kind, "remote": remote}
	}
	format := one(a, "SharedSecret", "PEM", "JWKS")
	if a.IntN(2) == 0 {
		provider["algorithms"] = public
		if format == "SharedSecret" {
			provider["algorithms"] = jsonList{one(a, "HS256", "HS384", "HS512")}
		}
	}
	if format == "SharedSecret" && a.IntN(2) == 0 {
		delete(provider, "audiences")
	}
	return jsonObject{"type": kind, "secret": jsonObject{"name": a.word(), "keys": jsonList{"current", "next.pem"}, "format": format}}
}

// reconcile mends what was made up apart and does not go together.
func (a *author) reconcile(spec jsonObject) {
	if spec["profile"] == "Quilt" {
		delete(spec, "multiuser")
		env, _ := spec["env"].(jsonList)
		spec["env"] = append(env, jsonObject{"name": "QUILT_CATALOG_URL", "value": "https://c.example.com"}, jsonObject{"name": "QUILT_REGISTRY_URL", "value": "s3://b"})
	}
	a.reconcileQuilt(spec)
	mounts := jsonList{}
	volumes, _ := spec["volumes"].(jsonList)
	for i, volume := range volumes {
		mount := a.some(jsonObject{"readOnly": true, "subPath": "a/b"})
		mount["name"], mount["mountPath"] = volume.(jsonObject)["name"], fmt.Sprintf("/mnt/%d", i)
		mounts = append(mounts, mount)
	}
	spec["volumeMounts"] = mounts
	gate, _ := spec["gate"].(jsonObject)
	if pod, found := spec["pod"].(jsonObject); found && pod["terminationGracePeriodSeconds"] != nil {
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
func reconcileMetadata(spec jsonObject) {
	auth, _ := spec["auth"].(jsonObject)
	metadata, found := auth["resourceMetadata"].(jsonObject)
	if !found {
		return
	}
	if route, found := spec["route"].(jsonObject); found {
		metadata["resource"] = "https://" + route["hostnames"].(jsonList)[0].(string)
	}
	path, set := spec["path"].(string)
	if !set {
		path = "/mcp"
	}
	metadata["resource"] = metadata["resource"].(string) + path
}

// reconcileProbe: a token is named where one is asked for, no pod waits for a proof where nothing is tried, and claims are for
// shared secrets: all that say who a caller is.
func (a *author) reconcileProbe(spec jsonObject) {
	probe, _ := spec["authProbe"].(jsonObject)
	if probe == nil {
		return
	}
	delete(probe, "tokenSecretRef")
	if probe["credential"] == "SecretRef" {
		probe["tokenSecretRef"] = jsonObject{"name": a.word(), "key": a.word()}
	}
	if probe["credential"] == "None" {
		probe["readinessGate"] = "Off"
	}
	delete(probe, "claims")
	auth, _ := spec["auth"].(jsonObject)
	providers, _ := auth["providers"].(jsonList)
	claims := jsonObject{}
	for _, p := range providers {
		provider := p.(jsonObject)
		secret, _ := provider["keys"].(jsonObject)["secret"].(jsonObject)
		if secret["format"] != "SharedSecret" {
			continue
		}
		who, _ := provider["identityClaims"].(jsonList)
		if len(who) == 0 {
			who = jsonList{"sub", "id"}
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
func (a *author) reconcileQuilt(spec jsonObject) {
	if spec["profile"] != "Quilt" {
		delete(spec, "quilt")
	}
	if quilt, _ := spec["quilt"].(jsonObject); quilt["release"] == "UpTo014" {
		spec["auth"] = jsonObject{"providers": jsonList{jsonObject{"name": a.word(), "keys": jsonObject{
			"type": "Secret", "secret": jsonObject{"name": a.word(), "keys": jsonList{a.word()}, "format": "SharedSecret"}}}}}
	}
}

// reconcileProviders leaves one provider of type Managed, and one of type Cluster.
func reconcileProviders(spec jsonObject) {
	auth, _ := spec["auth"].(jsonObject)
	providers, _ := auth["providers"].(jsonList)
	kinds := map[any]bool{}
	var kept jsonList
	for _, p := range providers {
		kind := p.(jsonObject)["keys"].(jsonObject)["type"]
		if kind == "Secret" || kind == "Remote" || !kinds[kind] {
			kept = append(kept, p)
		}
		kinds[kind] = true
	}
	if kept != nil {
		auth["providers"] = kept
	}
}
