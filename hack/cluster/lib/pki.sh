# shellcheck shell=bash disable=SC2154 # run, cache and here are of cluster.sh
# Certificates and kubeconfigs of one cluster: made anew with each, by openssl, as files in $run/pki.

# The node's own address and its name; they exist in its network namespace only.
node_ip=10.250.0.1
node_name=node
api_service_ip=10.96.0.1

make_pki() {
  mkdir -p "$run/pki"
  cd "$run/pki" || return
  new_key ca
  openssl req -x509 -new -key ca.key -subj /CN=gatehouse-local -days 365 -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
  new_key service-account
  openssl ec -in service-account.key -pubout -out service-account.pub 2> /dev/null

  local service=DNS:kubernetes.default
  server_certificate apiserver kube-apiserver \
    "DNS:kubernetes,$service,$service.svc,$service.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$api_service_ip,IP:$node_ip"
  server_certificate kubelet-server "$node_name" "DNS:$node_name,IP:$node_ip,IP:127.0.0.1"
  client_certificate admin /O=system:masters/CN=admin
  client_certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
  client_certificate kube-controller-manager /CN=system:kube-controller-manager
  client_certificate kube-scheduler /CN=system:kube-scheduler
  client_certificate kubelet "/O=system:nodes/CN=system:node:$node_name"
  client_certificate kube-proxy /CN=system:kube-proxy
  local user
  for user in kube-controller-manager kube-scheduler kubelet kube-proxy admin; do
    kubeconfig "$user" https://127.0.0.1:6443 > "$user.kubeconfig"
  done
  cd - > /dev/null || return
}

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

server_certificate() { certificate "$1" "/CN=$2" "extendedKeyUsage=serverAuth" "subjectAltName=$3"; }
client_certificate() { certificate "$1" "$2" "extendedKeyUsage=clientAuth"; }

# certificate FILE SUBJECT EXTENSION...
certificate() {
  local file=$1 subject=$2
  shift 2
  new_key "$file"
  openssl req -new -key "$file.key" -subj "$subject" -out "$file.csr"
  printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature "$@" > "$file.extensions"
  openssl x509 -req -in "$file.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile "$file.extensions" -out "$file.crt" 2> "$file.log" || {
    cat "$file.log" >&2
    return 1
  }
  rm "$file.csr" "$file.extensions" "$file.log"
}

# kubeconfig USER SERVER prints one with the certificates in it, so that the file can be copied anywhere.
kubeconfig() {
  local pki=$run/pki
  cat << YAML
apiVersion: v1
kind: Config
current-context: gatehouse-$name
contexts: [{name: gatehouse-$name, context: {cluster: gatehouse-$name, user: $1}}]
clusters: [{name: gatehouse-$name, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$pki/$1.crt"), client-key-data: $(base64 -w0 "$pki/$1.key")}}]
YAML
}
